namespace CryptoPlane.Ike.Session;

/// <summary>A child SA that the peer is making.</summary>
internal sealed class PendingChild(AgreedChild agreed, SessionHost host) : PendingFollowUp(agreed.Child.Suite.Additional)
{
    private bool _isInstalled;

    /// <summary>What it is to replace; null: nothing.</summary>
    public ChildSa? Replaces => agreed.Child.Replaces;

    public override void Complete(IkeSa sa, long now)
    {
        _isInstalled = true;
        ChildSa child = agreed.Install(sa, Rounds.Secrets);
        // A replacement is sent on when the peer sends on it, or deletes the old one: until then our answer may be lost (RFC 7296 §2.8).
        if (Replaces is not { State: ChildSaState.Installed or ChildSaState.Active or ChildSaState.Deleting })
            ChildLifecycle.Activate(child);
    }

    public override void Dispose()
    {
        if (!_isInstalled)
            host.Options.ChildSpis.Free(agreed.Child.Id.InboundSpi);
        agreed.Dispose();
        base.Dispose();
    }
}
