using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>The IKE SA by which the peer is replacing this one (RFC 7296 §2.18, RFC 9370 §2.2.4).</summary>
/// <param name="suite">Its algorithms.</param>
/// <param name="secret">SK(0). Owned by this object.</param>
/// <param name="spis">The peer's, and ours.</param>
/// <param name="nonces">The peer's, and ours.</param>
internal sealed class PendingIkeSa(IkeSuite suite, SecretBytes secret, (ulong Theirs, ulong Ours) spis, (byte[] Theirs, byte[] Ours) nonces)
    : PendingFollowUp(suite.Additional)
{
    /// <summary>The lower nonce, which decides a collision.</summary>
    public byte[] LowestNonce { get; } = Nonce.Lower(nonces.Theirs, nonces.Ours);

    public override void Complete(IkeSa sa, long now)
    {
        IkeSa made = new(sa.Host, isInitiator: false, spis.Ours, sa.Path, now) { RemoteSpi = spis.Theirs, Connection = sa.Connection };
        made.SetKeys(sa.Keys!.Rekey(suite, secret, nonces.Theirs, nonces.Ours, spis.Theirs, spis.Ours, Rounds.Secrets));
        made.AwaitDecision(sa, now);
        sa.Host.Add(made);
        RekeyIkeExchange? ours = sa.Exchanges.Outstanding?.Exchange as RekeyIkeExchange;
        // RFC 7296 §2.8.2: if we have asked for the same, the nonces decide when our answer comes.
        if (ours is not null && suite.Additional.IsEmpty)
        {
            ours.Collide(made, LowestNonce);
            return;
        }
        // A peer that has gone on with further key exchanges has decided it already.
        ours?.Supersede();
        sa.ReplaceBy(made, peerHasIt: false, now);
    }

    public override void Dispose()
    {
        secret.Dispose();
        base.Dispose();
    }
}
