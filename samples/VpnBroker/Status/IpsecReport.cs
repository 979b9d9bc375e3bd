using CryptoPlane.Ike;
using VpnBroker.Configuration;

namespace VpnBroker.Status;

/// <summary>An IKE SA, or a peer without one.</summary>
/// <param name="Peer">The peer's name in the configuration; null for somebody who has not authenticated.</param>
/// <param name="State">In lower case: <c>established</c>, <c>initiating</c> and so on; <c>down</c> for a peer without an IKE SA.</param>
/// <param name="Identity">Who the peer is, once that is known.</param>
/// <param name="Local">Our address and port.</param>
/// <param name="Remote">The peer's.</param>
/// <param name="Suite">The algorithms, once they are negotiated.</param>
/// <param name="Initiator">Whether we began.</param>
/// <param name="Encapsulated">Whether ESP is enclosed in UDP.</param>
/// <param name="AgeSeconds">Seconds since it was established; 0 before.</param>
/// <param name="RekeySeconds">Seconds until it is rekeyed, or null.</param>
/// <param name="Children">Its pairs of ESP SAs.</param>
public sealed record IpsecReport(
    string? Peer, string State, string? Identity, string? Local, string? Remote, string? Suite, bool Initiator, bool Encapsulated, long AgeSeconds,
    long? RekeySeconds, IReadOnlyList<IpsecChildReport> Children)
{
    /// <summary>Describes the endpoint's SAs, and the configured peers that have none.</summary>
    /// <param name="sas">The endpoint's report.</param>
    /// <param name="now">The time of its clock.</param>
    /// <param name="peers">The configuration's peers.</param>
    internal static IReadOnlyList<IpsecReport> Of(IReadOnlyList<IkeSaReport> sas, long now, IReadOnlyList<IpsecPeerConfig> peers) =>
    [
        .. sas.OrderBy(sa => sa.Connection, StringComparer.Ordinal).Select(sa => Of(sa, now)),
        .. peers.Where(peer => sas.All(sa => sa.Connection != peer.Name))
            .Select(peer => new IpsecReport(peer.Name, "down", null, peer.Local?.ToString(), peer.Remote?.ToString(), null, false, false, 0, null, [])),
    ];

    private static IpsecReport Of(IkeSaReport sa, long now) => new(
        sa.Connection, sa.State.ToString().ToLowerInvariant(), sa.RemoteId?.ToString(), sa.Local.ToString(), sa.Remote.ToString(), sa.Suite?.ToString(),
        sa.IsInitiator, sa.UdpEncapsulation, sa.EstablishedAt == 0 ? 0 : (now - sa.EstablishedAt) / 1000, SecondsUntil(sa.RekeyAt, now),
        [
            .. sa.Children.Select(child => new IpsecChildReport(
                child.Child, $"0x{child.Id.InboundSpi:x8}", $"0x{child.OutboundSpi:x8}", CryptoPlane.Esp.Spi.LcoreOf(child.Id.InboundSpi), child.Resource is not null,
                child.Suite.ToString(), [.. child.LocalSelectors.Select(selector => selector.ToString())], [.. child.RemoteSelectors.Select(selector => selector.ToString())],
                (now - child.InstalledAt) / 1000, SecondsUntil(child.RekeyAt, now), child.IsReplaced)),
        ]);

    private static long? SecondsUntil(long time, long now) => time == long.MaxValue ? null : Math.Max(0, (time - now) / 1000);
}

/// <summary>A pair of ESP SAs that IKE has made.</summary>
/// <param name="Name">The child's name in the configuration.</param>
/// <param name="InboundSpi">The inbound SPI, in hexadecimal.</param>
/// <param name="OutboundSpi">The outbound SPI, in hexadecimal.</param>
/// <param name="Lcore">The lcore that owns the pair.</param>
/// <param name="OfLcore">Whether it is the lcore's own, rather than for all of them.</param>
/// <param name="Suite">The algorithms.</param>
/// <param name="Local">Our side of the traffic.</param>
/// <param name="Remote">The peer's side.</param>
/// <param name="AgeSeconds">Seconds since it was made.</param>
/// <param name="RekeySeconds">Seconds until it is rekeyed, or null.</param>
/// <param name="Replaced">Whether another has taken its place.</param>
public sealed record IpsecChildReport(
    string Name, string InboundSpi, string OutboundSpi, int Lcore, bool OfLcore, string Suite, IReadOnlyList<string> Local, IReadOnlyList<string> Remote,
    long AgeSeconds, long? RekeySeconds, bool Replaced);
