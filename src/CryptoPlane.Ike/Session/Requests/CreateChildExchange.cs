using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA for a further child SA (RFC 7296 §1.3.1).</summary>
internal sealed class CreateChildExchange(ChildRequest wanted) : ChildExchange(new ChildOffer(wanted, isAuthExchange: false))
{
    /// <summary>What it is to make.</summary>
    public ChildRequest Wanted { get; } = wanted;

    protected override IkeChild Configuration => Wanted.Configuration;

    protected override bool IsWanted(IkeSa sa, long now) => !sa.Children.Has(Wanted.Configuration, Wanted.Resource);

    protected override void HandleMade(IkeSa sa, ChildSa child, byte[] theirNonce, long now)
    {
        ChildLifecycle.Activate(child);
        sa.Host.OnChildMade(sa, now);
    }

    protected override void HandleUnusable(IkeSa sa, long now) => sa.Host.OnChildMissing(sa, now);

    protected override void HandleRefused(IkeSa sa, IkePayloads response, long now)
    {
        NotifyType? error = response.FindError()?.NotifyType;
        // RFC 9611 §4: the peer has as many as it wants; what is there suffices.
        if (error == NotifyType.TsMaxQueue)
            sa.RefusedResources.Add(Wanted.Configuration);
        else if (error != NotifyType.TemporaryFailure)
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, Wanted.Configuration.Name, error?.ToString() ?? "the peer's answer is incomplete"));
        sa.Host.OnChildMissing(sa, now);
    }
}
