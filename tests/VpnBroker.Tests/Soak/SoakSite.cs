using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.Tests.Soak;

/// <summary>One broker's data plane with two lcores, a pool of users and an ESP tunnel to the other site.</summary>
internal sealed class SoakSite
{
    public const int Lcores = 2;

    /// <summary>Reasons for which a packet is dropped that was counted as received; each such drop takes one packet out of the sum.</summary>
    private static readonly string[] s_dropsOfReceived =
    [
        "source-address", "destination-address", "hop-limit", "no-route", "no-tunnel", "too-big", "slow-reader", "backlog-exhausted", "hand-over-full",
        "no-port", "tunnel-ending", "seal-refused",
    ];

    private readonly int _port;

    private SoakSite(int number, IPNetwork pool, int port, BrokerConfig config)
    {
        Number = number;
        Pool = pool;
        _port = port;
        SequenceRange[] ranges = [.. Enumerable.Repeat(new SequenceRange(1, 1UL << 40), Lcores)];
        Host = DataPlaneHost.Start(config, ranges, NullLoggerFactory.Instance);
        Host.TunnelEnded = Ended.Enqueue;
    }

    public int Number { get; }

    public IPNetwork Pool { get; }

    public DataPlaneHost Host { get; }

    /// <summary>Packets that came by ESP after later ones of their flow: the kernel had lost them, and somebody in the network sent a copy.</summary>
    public ulong Late { get; set; }

    /// <summary>Tunnels that have ended, as the data plane told.</summary>
    public ConcurrentQueue<TunnelEnded> Ended { get; } = new();

    /// <summary>Starts a site whose ESP goes to a port of the loopback interface.</summary>
    public static SoakSite Start(int number, int port, int remotePort)
    {
        IPNetwork[] pools = [IPNetwork.Parse("10.8.0.0/16"), IPNetwork.Parse("10.9.0.0/16")];
        var config = new BrokerConfig
        {
            Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
            Dtls = new DtlsConfig { Enabled = false },
            Lcores = new LcoreConfig { Cpus = [-1, -1], Idle = IdleMode.Adaptive },
            Pools = [new PoolConfig { Name = "p", IPv4 = pools[number] }],
            Limits = new LimitsConfig { Sessions = 1000 },
            Esp = new EspConfig
            {
                StateFile = "none",
                Tunnels =
                [
                    new EspTunnelConfig
                    {
                        Name = "other",
                        Mode = EspMode.Udp,
                        Local = new IPEndPoint(IPAddress.Loopback, port),
                        Remote = new IPEndPoint(IPAddress.Loopback, remotePort),
                        RemotePrefixes = [pools[1 - number]],
                        Pairs = [.. Enumerable.Range(0, Lcores).Select(lcore => new EspSaPairConfig { Lcore = lcore, Inbound = Sa(1 - number, lcore), Outbound = Sa(number, lcore) })],
                    },
                ],
            },
        };
        return new SoakSite(number, pools[number], port, config);
    }

    public DataPlaneStatus Status(bool tunnels = false) => Host.GetStatusAsync(tunnels).GetAwaiter().GetResult();

    public static ulong Sum(DataPlaneStatus status, string port, Func<PortStatus, ulong> counter) =>
        status.Lcores.Aggregate(0UL, (sum, lcore) => sum + counter(lcore.Ports.Single(entry => entry.Name == port)));

    public static ulong Drops(DataPlaneStatus status, Func<string, bool> reasons) =>
        status.Lcores.SelectMany(lcore => lcore.Drops).Where(drop => reasons(drop.Reason)).Aggregate(0UL, (sum, drop) => sum + drop.Packets);

    public static string DropsText(DataPlaneStatus status) => string.Join(
        ", ", status.Lcores.SelectMany(lcore => lcore.Drops).GroupBy(drop => drop.Reason).Select(group => $"{group.Key} {group.Aggregate(0UL, (sum, drop) => sum + drop.Packets)}"));

    /// <summary>At rest, what came in has gone out or is counted as dropped: packet by packet.</summary>
    public void AssertSumsAddUp(EspRelay relay)
    {
        DataPlaneStatus status = Status();
        string where = $"site {Number}; drops: {DropsText(status)}";
        ulong espReceived = Sum(status, "esp", port => port.ReceivedPackets), espSent = Sum(status, "esp", port => port.SentPackets);
        ulong icmp = status.Lcores.Aggregate(0UL, (sum, lcore) => sum + lcore.IcmpSent);
        ulong came = Sum(status, "users", port => port.ReceivedPackets) + espReceived + icmp;
        ulong left = Sum(status, "users", port => port.SentPackets) + espSent + Drops(status, s_dropsOfReceived.Contains);
        // A full ESP queue or socket may drop before or behind the counter of sent packets; a ring's receiver without buffers counts for itself.
        ulong uncertain = Drops(status, reason => reason is "esp-full" or "esp-refused") + HandedOverInVain(status);
        Assert.True(came >= left && came - left <= uncertain, $"{came} packets came, {left} left or were dropped, {uncertain} may be either: {where}");

        // The relay sends nothing that the kernel does not either deliver or count as lost on the socket.
        ulong dropped = Drops(status, reason => reason.StartsWith("esp-", StringComparison.Ordinal) && reason is not ("esp-full" or "esp-refused"));
        ulong arrived = espReceived + dropped + KernelDrops(_port);
        ulong given = (ulong)relay.GivenTo(Number);
        Assert.True(given >= arrived && given - arrived <= HandOverDrops(status), $"{given} ESP packets were given, {arrived} are accounted for: {where}");
        ulong taken = (ulong)relay.TakenFrom(Number) + KernelDrops(relay.Ports[Number]);
        Assert.True(espSent >= taken && espSent - taken <= uncertain, $"{espSent} ESP packets were sent, {taken} reached the network: {where}");
        Assert.True(Late <= KernelDrops(_port), $"{Late} packets came late, and {KernelDrops(_port)} were lost before that: {where}");
        // Nothing that was repeated or changed on the way was taken for a packet.
        Assert.True(dropped + KernelDrops(_port) + HandOverDrops(status) >= (ulong)relay.HostileTo(Number), $"{relay.HostileTo(Number)} hostile packets, {dropped} dropped by ESP: {where}");
    }

    /// <summary>Whether the kernel holds no datagram for a port's sockets.</summary>
    public static bool IsQueueEmpty(int port) => SocketsOf(port).All(fields => fields[4].EndsWith(":00000000", StringComparison.Ordinal));

    private static ulong HandedOverInVain(DataPlaneStatus status) =>
        status.Lcores.Aggregate(0UL, (sum, lcore) => sum + lcore.HandedOver) - status.Lcores.Aggregate(0UL, (sum, lcore) => sum + lcore.TakenOver);

    private static ulong HandOverDrops(DataPlaneStatus status) => HandedOverInVain(status) + Drops(status, reason => reason == "hand-over-full");

    private static EspSaConfig Sa(int sender, int lcore)
    {
        byte[] key = [.. Enumerable.Range(1, 20).Select(i => (byte)(i + (40 * sender) + (80 * lcore)))];
        return new EspSaConfig { Spi = (uint)((lcore + 1) << 24 | (sender + 1)), Key = new EspKey(key.AsSpan(0, 16), key.AsSpan(16)) };
    }

    /// <summary>Datagrams that the kernel lost on the sockets of a port: the last column of its table.</summary>
    private static ulong KernelDrops(int port) =>
        SocketsOf(port).Aggregate(0UL, (sum, fields) => sum + ulong.Parse(fields[^1], CultureInfo.InvariantCulture));

    /// <summary>The rows of the kernel's table that are about a port's sockets.</summary>
    private static IEnumerable<string[]> SocketsOf(int port) => File.ReadLines("/proc/net/udp").Skip(1)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(fields => fields[1].EndsWith($":{port:X4}", StringComparison.Ordinal));
}
