using System.Net;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike;

/// <summary>
/// A child SA is there: packets may come in on it at once, and go out on it from <see cref="ChildSaActivated"/>. Whoever takes the event
/// disposes of <see cref="Keys"/>, once the SA is made.
/// </summary>
public sealed record ChildSaInstalled : IkeEvent
{
    /// <summary>The child SA; also the SPI of the inbound SA.</summary>
    public required ChildSaId Id { get; init; }

    /// <summary>The SPI of the outbound SA, which the peer chose.</summary>
    public required uint OutboundSpi { get; init; }

    /// <summary>The local SPI of the IKE SA that it belongs to.</summary>
    public required ulong IkeSa { get; init; }

    /// <summary>The connection's name.</summary>
    public required string Connection { get; init; }

    /// <summary>The child's name in the configuration.</summary>
    public required string Child { get; init; }

    /// <summary>Who the peer is.</summary>
    public required IkeIdentity RemoteId { get; init; }

    /// <summary>The keys of both directions, and the algorithms.</summary>
    public required ChildKeys Keys { get; init; }

    /// <summary>Whether we began the exchange that made it: then we send with the initiator's keys.</summary>
    public required bool IsInitiator { get; init; }

    /// <summary>Tunnel or transport mode.</summary>
    public required IkeChildMode Mode { get; init; }

    /// <summary>Whether ESP is enclosed in UDP between the ports of <see cref="Local"/> and <see cref="Remote"/>.</summary>
    public required bool UdpEncapsulation { get; init; }

    /// <summary>Our address and port.</summary>
    public required IPEndPoint Local { get; init; }

    /// <summary>The peer's address and port.</summary>
    public required IPEndPoint Remote { get; init; }

    /// <summary>What we may send from and receive to.</summary>
    public required IReadOnlyList<TrafficSelector> LocalSelectors { get; init; }

    /// <summary>What the peer may send from and receive to.</summary>
    public required IReadOnlyList<TrafficSelector> RemoteSelectors { get; init; }

    /// <summary>The lcore that alone uses it; null: any.</summary>
    public int? Resource { get; init; }

    /// <summary>The child SA that it takes over from; null for a new one. It stays until <see cref="ChildSaRemoved"/> says so.</summary>
    public ChildSaId? Replaces { get; init; }

    /// <summary>Encryption key, then salt, of what comes in.</summary>
    public ReadOnlySpan<byte> InboundEncryption => IsInitiator ? Keys.ResponderEncryption : Keys.InitiatorEncryption;

    /// <summary>Integrity key of what comes in; empty with an AEAD.</summary>
    public ReadOnlySpan<byte> InboundIntegrity => IsInitiator ? Keys.ResponderIntegrity : Keys.InitiatorIntegrity;

    /// <summary>Encryption key, then salt, of what goes out.</summary>
    public ReadOnlySpan<byte> OutboundEncryption => IsInitiator ? Keys.InitiatorEncryption : Keys.ResponderEncryption;

    /// <summary>Integrity key of what goes out; empty with an AEAD.</summary>
    public ReadOnlySpan<byte> OutboundIntegrity => IsInitiator ? Keys.InitiatorIntegrity : Keys.ResponderIntegrity;
}
