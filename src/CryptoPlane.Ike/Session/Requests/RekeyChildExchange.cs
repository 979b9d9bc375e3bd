using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>CREATE_CHILD_SA that replaces a child SA (RFC 7296 §1.3.3, §2.8); the old one is deleted afterwards.</summary>
internal sealed class RekeyChildExchange(ChildSa old) : ChildExchange(new ChildOffer(old))
{
    /// <summary>When it is tried again after the peer could not (RFC 7296 §2.25), and after it would not; in milliseconds.</summary>
    private const long TemporaryDelay = 1_000, TemporaryJitter = 4_000, RefusedDelay = 30_000;

    private byte[] _rivalNonce = [];

    /// <summary>What is replaced.</summary>
    public ChildSa Old { get; } = old;

    protected override IkeChild Configuration => Old.Configuration;

    /// <summary>The peer has rekeyed the same child SA before it answered us (RFC 7296 §2.8.1).</summary>
    /// <param name="lowestNonce">The lower nonce of its exchange.</param>
    public void Collide(byte[] lowestNonce) => _rivalNonce = lowestNonce;

    protected override bool IsWanted(IkeSa sa, long now)
    {
        if (!Old.MayBeRekeyed)
            return false;
        // The peer is making the replacement already (RFC 9370 §2.2.4). It does not know of ours, so the nonces could not decide between the two: ours
        // comes later, if the peer gives up its own.
        if (!sa.FollowUps.Has(IsRival))
            return true;
        TryAgain(TemporaryDelay + sa.Host.RandomTime(TemporaryJitter), now);
        return false;
    }

    // The peer may have replaced it too: what it made is redundant, since ours goes on.
    protected override bool MayGoOn => Old.State is ChildSaState.Installed or ChildSaState.Active;

    protected override void HandleMade(IkeSa sa, ChildSa child, byte[] theirNonce, long now) =>
        Decide(sa, child, Nonce.Lower(OurNonce, theirNonce), now);

    protected override void HandleUnusable(IkeSa sa, long now) => TryAgain(RefusedDelay, now);

    protected override void HandleRefused(IkeSa sa, IkePayloads response, long now)
    {
        if (!IsFollowingUp && response.Find(NotifyType.ChildSaNotFound) is not null)
        {
            // RFC 7296 §2.25: the peer does not have it any more, so it is deleted without a word.
            ChildLifecycle.Remove(Old, now);
        }
        else if (response.Find(NotifyType.TemporaryFailure) is not null || response.Find(NotifyType.StateNotFound) is not null)
        {
            TryAgain(TemporaryDelay + sa.Host.RandomTime(TemporaryJitter), now);
        }
        else
        {
            sa.Host.Emit(new InitiationFailed(sa.Connection!.Name, Old.Configuration.Name,
                $"the peer refuses to rekey {Old.Id}: {response.FindError()?.NotifyType.ToString() ?? "its answer is incomplete"}"));
            TryAgain(RefusedDelay, now);
        }
    }

    protected override bool MayFollowUp(IkeSa sa, byte[] theirNonce, long now)
    {
        if (!IsLost(Nonce.Lower(OurNonce, theirNonce)))
        {
            DropRival(sa);
            return true;
        }
        // RFC 7296 §2.8.1, RFC 9370 §2.2.4: what we began is redundant, and nobody has it yet. If the peer does not go on with its own either, we begin
        // again.
        TryAgain(RefusedDelay, now);
        return false;
    }

    private bool IsLost(byte[] lowestNonce) => _rivalNonce.Length != 0 && Nonce.OursIsRedundant(lowestNonce, _rivalNonce);

    /// <summary>The peer does not go on with its own rekey where ours stays.</summary>
    private void DropRival(IkeSa sa) => sa.FollowUps.Drop(IsRival);

    private bool IsRival(PendingFollowUp pending) => pending is PendingChild { Replaces: { } replaced } && replaced == Old;

    private void Decide(IkeSa sa, ChildSa child, byte[] lowestNonce, long now)
    {
        if (IsLost(lowestNonce))
        {
            // RFC 7296 §2.8.1: we close what we made; the peer, whose SA survives, closes the old one.
            child.RekeyAt = long.MaxValue;
            if (Old.ReplacedBy == child)
            {
                // The peer's has key exchanges to make yet. When the old one goes, it is the peer's that is sent on.
                Old.ReplacedBy = null;
                TryAgain(RefusedDelay, now);
            }
            sa.Exchanges.Enqueue(new DeleteChildExchange(child));
            return;
        }
        DropRival(sa);
        Old.ReplacedBy = child;
        ChildLifecycle.Activate(child);
        if (Old.State is ChildSaState.Installed or ChildSaState.Active)
            sa.Exchanges.Enqueue(new DeleteChildExchange(Old));
    }

    private void TryAgain(long delay, long now)
    {
        if (Old.MayBeReplaced)
            Old.RekeyAt = now + delay;
    }
}
