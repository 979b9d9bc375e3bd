using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>A pair of SAs that IKE has negotiated, for one lcore.</summary>
public sealed record EspChildRequest
{
    /// <summary>What operators call it: the peer and the child of the configuration.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// What belongs together: the pairs of one group lead to one place behind one peer (their remote selectors are the same), on several lcores,
    /// or one after another (rekeys, a peer that came back). Of a group's pairs on an lcore the one that was activated last sends.
    /// </summary>
    public required string Group { get; init; }

    /// <summary>
    /// Whether the pair is for packets of all lcores, handed over to its own, where no pair of the group that belongs to an lcore takes
    /// them (RFC 9611 §2: the fallback SA).
    /// </summary>
    public required bool IsFallback { get; init; }

    /// <summary>Which of several groups with one prefix gets its packets: the lowest number.</summary>
    public required int Priority { get; init; }

    /// <summary>Of several groups with one prefix and one priority: this one's part of new flows, beside the others' weights; 1 or more.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>The lcore that owns both SAs; the inbound SPI names it.</summary>
    public required int Lcore { get; init; }

    /// <summary>Our SPI, which identifies the pair from now on.</summary>
    public required uint InboundSpi { get; init; }

    /// <summary>The peer's SPI.</summary>
    public required uint OutboundSpi { get; init; }

    /// <summary>The algorithm of both; null with <see cref="Cbc"/>.</summary>
    public required AeadAlgorithm? Algorithm { get; init; }

    /// <summary>The cipher of both where the peer has no AEAD.</summary>
    public EspCbcAlgorithm? Cbc { get; init; }

    /// <summary>Extended (64-bit) sequence numbers (RFC 4303 §2.2.1).</summary>
    public required bool Esn { get; init; }

    /// <summary>Key and salt (with a CBC cipher: its key and HMAC's) of what comes from the peer; zeroed by the data plane, however the call ends.</summary>
    public required byte[] InboundKey { get; init; }

    /// <summary>The same of what goes to the peer; zeroed as the other.</summary>
    public required byte[] OutboundKey { get; init; }

    /// <summary>Packets that the anti-replay window covers.</summary>
    public int ReplayWindow { get; init; } = 1024;

    /// <summary>How much each of the two SAs may carry.</summary>
    public SaLifetime Lifetime { get; init; }

    /// <summary>What carries ESP.</summary>
    public required EspMode Mode { get; init; }

    /// <summary>Our outer address, and the port with <see cref="EspMode.Udp"/>.</summary>
    public required IPEndPoint Local { get; init; }

    /// <summary>The peer's outer address, and the port with <see cref="EspMode.Udp"/>.</summary>
    public required IPEndPoint Remote { get; init; }

    /// <summary>Our end of the packets that may pass; at least one.</summary>
    public required IReadOnlyList<EspSelector> LocalSelectors { get; init; }

    /// <summary>The peer's end; at least one. Its addresses are routed into the pair.</summary>
    public required IReadOnlyList<EspSelector> RemoteSelectors { get; init; }

    /// <summary>The MTU inside, in bytes.</summary>
    public required int Mtu { get; init; }

    /// <summary>
    /// The remote user whose tunnel it is; null for a gateway. A user's remote selectors are no routes: the addresses belong to a pool, whose
    /// part on this lcore leads here, and the lcore knows the user.
    /// </summary>
    public EspUser? User { get; init; }
}

/// <summary>What a negotiated pair of SAs has carried.</summary>
/// <param name="InboundSpi">The pair.</param>
/// <param name="ReceivedPackets">Packets that came from the peer and were authentic.</param>
/// <param name="SentPackets">Packets that went to the peer.</param>
/// <param name="SoftLifetime">Whether one of the two is past a soft limit: time for new ones.</param>
/// <param name="HardLifetime">Whether one of the two carries nothing more.</param>
public readonly record struct EspActivity(uint InboundSpi, ulong ReceivedPackets, ulong SentPackets, bool SoftLifetime, bool HardLifetime)
{
    /// <summary>Bytes of inner packets that came from the peer.</summary>
    public ulong ReceivedBytes { get; init; }

    /// <summary>Bytes of inner packets that went to the peer.</summary>
    public ulong SentBytes { get; init; }

    /// <summary>The same with what another pair has carried.</summary>
    public EspActivity Plus(in EspActivity other) => this with
    {
        ReceivedPackets = ReceivedPackets + other.ReceivedPackets,
        SentPackets = SentPackets + other.SentPackets,
        ReceivedBytes = ReceivedBytes + other.ReceivedBytes,
        SentBytes = SentBytes + other.SentBytes,
    };
}

/// <summary>The remote user whose tunnel a negotiated pair of SAs is: the user's addresses lead into it on its lcore.</summary>
/// <param name="TunnelId">The tunnel; never used twice in a process.</param>
/// <param name="SessionId">Its session.</param>
/// <param name="IPv4">The inner IPv4 address, or null.</param>
/// <param name="IPv6">The inner IPv6 address, or null.</param>
public sealed record EspUser(ulong TunnelId, ulong SessionId, IPAddress? IPv4, IPAddress? IPv6)
{
    /// <summary>The user's name, as policies know it.</summary>
    public string Name { get; init; } = "";

    /// <summary>The user's groups, likewise.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];
}

/// <summary>
/// The data plane as IKE sees it: pairs of SAs come, take over, and go while traffic flows. Any control thread; calls take effect in the order in
/// which they are made.
/// </summary>
public interface IEspChildren
{
    /// <summary>
    /// Called when pairs have passed a soft or a hard limit, which <see cref="ReadActivityAsync"/> tells; set before the first pair. It runs on the
    /// supervisor's thread and must not block.
    /// </summary>
    Action? LifetimePassed { get; set; }

    /// <summary>
    /// Makes a pair of SAs. Packets are received on it when the task has completed; nothing is sent on it before
    /// <see cref="ActivateAsync"/>, so that the peer can be told in between.
    /// </summary>
    /// <exception cref="InvalidOperationException">There is no room for another pair, or the data plane is stopping.</exception>
    /// <exception cref="ArgumentException">The SPI is in use, or nothing here carries ESP from this local address.</exception>
    Task InstallAsync(EspChildRequest request);

    /// <summary>Sends on the pair from now on, in place of its group's others on its lcore; its remote selectors are routed to the group.</summary>
    /// <returns>False when there is no such pair.</returns>
    Task<bool> ActivateAsync(uint inboundSpi);

    /// <summary>
    /// Sends to another outer address from now on (a NAT's new mapping, RFC 7296 §2.23; MOBIKE). ESP of the old address is taken all the
    /// same: it is authentic by its ICV.
    /// </summary>
    /// <returns>False when there is no such pair, or when it cannot move: it is to be replaced by one that is made for the new path.</returns>
    Task<bool> MoveAsync(uint inboundSpi, EspMode mode, IPEndPoint local, IPEndPoint remote);

    /// <summary>
    /// Ends a pair: what still comes on it is unknown, and another active pair of the group sends, if there is one. The keys are zeroed as
    /// soon as nothing is in flight.
    /// </summary>
    /// <returns>What it has carried in all; null when there is no such pair.</returns>
    Task<EspActivity?> RemoveAsync(uint inboundSpi);

    /// <summary>What each pair has carried.</summary>
    Task<IReadOnlyList<EspActivity>> ReadActivityAsync();
}
