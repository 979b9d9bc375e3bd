using System.Security.Cryptography;
using CryptoPlane.Aead;

namespace CryptoPlane.Ike;

/// <summary>Fills a span with bytes that nobody can guess.</summary>
public delegate void IkeRandomness(Span<byte> destination);

/// <summary>What an endpoint needs. Times in milliseconds.</summary>
public sealed class IkeEndpointOptions
{
    /// <summary>Where inbound SPIs of child SAs come from.</summary>
    public required IChildSpiSource ChildSpis { get; init; }

    /// <summary>The peers, in the order in which they are tried for a peer that begins.</summary>
    public IReadOnlyList<IkeConnection> Connections { get; init; } = [];

    /// <summary>SPIs, nonces, jitter. A test may give its own; key exchanges draw from libcrypto all the same.</summary>
    public IkeRandomness Randomness { get; init; } = RandomNumberGenerator.Fill;

    /// <summary>The time of day, which only the validity of certificates needs; the endpoint's own time is that of its calls.</summary>
    public TimeProvider TimeOfDay { get; init; } = TimeProvider.System;

    /// <summary>Protects the messages; the owner's, on the endpoint's thread. Null: the endpoint makes its own.</summary>
    public AeadEngine? Engine { get; init; }

    /// <summary>
    /// Takes lines of Wireshark's ikev2_decryption_table; null: none. Whoever reads them reads everything: the caller asks its operator
    /// twice before it sets this.
    /// </summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>
    /// After how long an unanswered request is sent again for the first time; each further wait is <see cref="RetransmitFactor"/> longer.
    /// </summary>
    public long RetransmitDelay { get; init; } = 1_000;

    /// <summary>By how much each wait is longer than the one before it.</summary>
    public double RetransmitFactor { get; init; } = 1.8;

    /// <summary>
    /// How often an unanswered request is sent again before the peer counts as dead: 7 times takes a little over two minutes.
    /// </summary>
    public int RetransmitTries { get; init; } = 7;

    /// <summary>How long an inbound child SA that was replaced stays, for packets that are still on their way.</summary>
    public long ReplacedChildLinger { get; init; } = 2_000;

    /// <summary>How long a peer that began may take until it is authenticated.</summary>
    public long HalfOpenTimeout { get; init; } = 30_000;

    /// <summary>Most IKE SAs that peers have begun and that are not authenticated.</summary>
    public int MaxHalfOpen { get; init; } = 1_024;

    /// <summary>Most IKE SAs in all.</summary>
    public int MaxIkeSas { get; init; } = 65_536;

    /// <summary>Most child SAs of one IKE SA: what a peer that has authenticated can make us hold.</summary>
    public int MaxChildSas { get; init; } = 256;

    /// <summary>How often a NAT keepalive is sent where we are behind a NAT and nothing else is sent (RFC 3948 §4).</summary>
    public long NatKeepaliveDelay { get; init; } = 20_000;

    /// <summary>
    /// First wait before a connection that was lost or could not be initiated is initiated again; it doubles up to a minute.
    /// </summary>
    public long RestartDelay { get; init; } = 1_000;

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(ChildSpis);
        ArgumentNullException.ThrowIfNull(Randomness);
        ArgumentNullException.ThrowIfNull(TimeOfDay);
        if (RetransmitDelay <= 0 || RetransmitFactor < 1 || RetransmitTries is < 0 or > 30)
            throw new ArgumentException("Retransmission needs a delay above 0, a factor of at least 1 and at most 30 tries.");
        if (ReplacedChildLinger < 0 || HalfOpenTimeout <= 0 || NatKeepaliveDelay <= 0 || RestartDelay <= 0)
            throw new ArgumentException("The endpoint's times must be above 0 (ReplacedChildLinger may be 0).");
        if (MaxHalfOpen <= 0 || MaxIkeSas <= 0 || MaxChildSas <= 0)
            throw new ArgumentException("The endpoint's limits must be above 0.");
    }
}
