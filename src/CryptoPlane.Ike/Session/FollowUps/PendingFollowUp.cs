using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Session;

/// <summary>What the peer's CREATE_CHILD_SA will have made when the key exchanges that follow it are made (RFC 9370 §2.2.4).</summary>
internal abstract class PendingFollowUp(AdditionalKeyExchanges agreed) : IDisposable
{
    /// <summary>The key exchanges.</summary>
    public FollowUpRounds Rounds { get; } = new(agreed);

    /// <summary>By which the peer names it.</summary>
    public byte[] Link { get; set; } = [];

    /// <summary>When it is forgotten.</summary>
    public long Deadline { get; set; } = long.MaxValue;

    /// <summary>All are made: so is what they were for.</summary>
    public abstract void Complete(IkeSa sa, long now);

    /// <summary>Zeroes the secrets, and gives back what was not used.</summary>
    public virtual void Dispose() => Rounds.Dispose();
}
