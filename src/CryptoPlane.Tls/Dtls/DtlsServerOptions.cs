using System.Security.Cryptography;

namespace CryptoPlane.Tls.Dtls;

/// <summary>What a <see cref="DtlsServer"/> offers and how patient it is. May be shared by associations.</summary>
public sealed record DtlsServerOptions
{
    /// <summary>Fewest bytes of <see cref="MaxDatagram"/>.</summary>
    public const int MinDatagram = 256;

    /// <summary>The cipher suites to negotiate, the preferred first. By default all three.</summary>
    /// <exception cref="ArgumentException">The list is empty, or holds what is not built.</exception>
    public IReadOnlyList<DtlsCipherSuite> CipherSuites
    {
        get;
        init => field = value is { Count: > 0 } && value.All(suite => Enum.IsDefined(suite) && suite != DtlsCipherSuite.None)
            ? value
            : throw new ArgumentException("Name at least one of DtlsCipherSuite's members.", nameof(value));
    } = [DtlsCipherSuite.PskAes128GcmSha256, DtlsCipherSuite.PskAes256GcmSha384, DtlsCipherSuite.PskChaCha20Poly1305Sha256];

    /// <summary>The PSK identity that the client must name (RFC 4279 §5.1); anything else is dropped.</summary>
    public required ReadOnlyMemory<byte> Identity { get; init; }

    /// <summary>Longest datagram to send, in bytes without IP and UDP headers; longer messages go in fragments.</summary>
    public int MaxDatagram
    {
        get;
        init => field = value >= MinDatagram ? value : throw new ArgumentOutOfRangeException(nameof(value), value, $"At least {MinDatagram} bytes.");
    } = 1200;

    /// <summary>Milliseconds after which a flight is sent again, the first time; doubled each time (RFC 6347 §4.2.4.1: one second).</summary>
    public long RetransmissionTimeout { get; init; } = 1000;

    /// <summary>Milliseconds after which a handshake that is not complete has failed.</summary>
    public long HandshakeTimeout { get; init; } = 30_000;

    /// <summary>Where random bytes come from.</summary>
    public DtlsRandomness Randomness { get; init; } = RandomNumberGenerator.Fill;
}
