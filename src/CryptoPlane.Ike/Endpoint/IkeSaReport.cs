using System.Net;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike;

/// <summary>An IKE SA as an operator sees it.</summary>
/// <param name="IkeSa">Its local SPI.</param>
/// <param name="RemoteSpi">The peer's SPI.</param>
/// <param name="Connection">The connection's name; null while a peer that began has not authenticated.</param>
/// <param name="RemoteId">Who the peer is, once it has authenticated.</param>
/// <param name="State">What it is doing.</param>
/// <param name="IsInitiator">Whether we began it.</param>
/// <param name="Local">Our address and port.</param>
/// <param name="Remote">The peer's.</param>
/// <param name="UdpEncapsulation">Whether ESP is enclosed in UDP.</param>
/// <param name="Suite">The algorithms, once they are negotiated.</param>
/// <param name="EstablishedAt">When it was established, in milliseconds of the endpoint's clock; 0 before.</param>
/// <param name="RekeyAt">When it is rekeyed; <see cref="long.MaxValue"/> where that is not planned.</param>
/// <param name="Children">Its child SAs.</param>
public sealed record IkeSaReport(
    ulong IkeSa, ulong RemoteSpi, string? Connection, IkeIdentity? RemoteId, IkeSaState State, bool IsInitiator, IPEndPoint Local, IPEndPoint Remote,
    bool UdpEncapsulation, IkeSuite? Suite, long EstablishedAt, long RekeyAt, IReadOnlyList<ChildSaReport> Children);

/// <summary>A child SA as an operator sees it.</summary>
/// <param name="Id">The child SA; also the SPI of the inbound SA.</param>
/// <param name="OutboundSpi">The SPI of the outbound SA.</param>
/// <param name="Child">The child's name in the configuration.</param>
/// <param name="Resource">The lcore that alone uses it; null: any.</param>
/// <param name="Suite">The algorithms.</param>
/// <param name="Mode">Tunnel or transport mode.</param>
/// <param name="LocalSelectors">Our side of the traffic.</param>
/// <param name="RemoteSelectors">The peer's side.</param>
/// <param name="InstalledAt">When it was made, in milliseconds of the endpoint's clock.</param>
/// <param name="RekeyAt">When it is rekeyed; <see cref="long.MaxValue"/> where that is not planned.</param>
/// <param name="IsReplaced">Whether another has taken its place, and it only stays for packets that are on their way.</param>
public sealed record ChildSaReport(
    ChildSaId Id, uint OutboundSpi, string Child, int? Resource, EspSuite Suite, IkeChildMode Mode, IReadOnlyList<TrafficSelector> LocalSelectors,
    IReadOnlyList<TrafficSelector> RemoteSelectors, long InstalledAt, long RekeyAt, bool IsReplaced);
