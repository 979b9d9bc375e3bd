using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Children;

/// <summary>
/// Two data planes, each with users of its own (10.8.0.0/16 and 10.9.0.0/16, halved where there are two lcores), and pairs of SAs between them
/// that the test makes as two IKE daemons would.
/// </summary>
internal sealed class ChildBed : IAsyncDisposable
{
    private static int s_beds = RandomNumberGenerator.GetInt32(1 << 16);
    private readonly List<TestUser> _users = [];
    private uint _serial = 1;

    public ChildBed(int nearLcores = 1, int farLcores = 1, int maximumChildren = 64, TrafficConfig? nearTraffic = null)
    {
        // Addresses of the loopback network that no other test has, so that everybody can use port 4500.
        int bed = Interlocked.Increment(ref s_beds);
        IPAddress Address(byte host) => new([127, (byte)(50 + (bed / 250 % 150)), (byte)(1 + (bed % 250)), host]);
        (NearAddress, FarAddress, OtherFarAddress) = (Address(1), Address(2), Address(3));
        Near = Start(Config([NearAddress], "10.8.0.0/16", nearLcores, maximumChildren) with { Traffic = nearTraffic });
        Far = Start(Config([FarAddress, OtherFarAddress], "10.9.0.0/16", farLcores, maximumChildren));
    }

    public IPAddress NearAddress { get; }

    public IPAddress FarAddress { get; }

    /// <summary>Another address of the far side.</summary>
    public IPAddress OtherFarAddress { get; }

    public DataPlaneHost Near { get; }

    public DataPlaneHost Far { get; }

    /// <summary>Connects a user.</summary>
    public async Task<TestUser> UserAsync(DataPlaneHost host, string address, int lcore = 0)
    {
        var user = new TestUser(_users.Count + 1);
        _users.Add(user);
        await host.AttachUserAsync(DataPlaneHostTests.RequestOf(user, (ulong)_users.Count, lcore, address));
        return user;
    }

    /// <summary>Makes a pair of SAs on both sides, which does not send yet.</summary>
    public async Task<ChildPair> InstallAsync(
        string group = "dc", int nearLcore = 0, int farLcore = 0, bool fallback = false, int priority = 0, string near = "10.8.0.0/16", string far = "10.9.0.0/16",
        SaLifetime lifetime = default, EspUser? user = null, int weight = 1)
    {
        uint serial = _serial++;
        var pair = new ChildPair(Spi.Create(nearLcore, serial), Spi.Create(farLcore, serial));
        byte[] there = RandomNumberGenerator.GetBytes(20), back = RandomNumberGenerator.GetBytes(20);
        EspSelector[] nearSelectors = [EspSelector.FromPrefix(IPNetwork.Parse(near))], farSelectors = [EspSelector.FromPrefix(IPNetwork.Parse(far))];
        EspChildRequest request = new()
        {
            Name = $"test/{group}", Group = group, IsFallback = fallback, Priority = priority, Weight = weight, Lcore = nearLcore, InboundSpi = pair.Near, OutboundSpi = pair.Far,
            Algorithm = AeadAlgorithm.Aes128Gcm, Esn = true, InboundKey = [.. back], OutboundKey = [.. there], Mode = EspMode.Udp, Lifetime = lifetime,
            Local = new IPEndPoint(NearAddress, 4500), Remote = new IPEndPoint(FarAddress, 4500),
            LocalSelectors = nearSelectors, RemoteSelectors = farSelectors, Mtu = 1400, User = user,
        };
        await Far.Children!.InstallAsync(request with
        {
            User = null,
            // There the pairs of one group have different remote selectors, which makes them groups of their own.
            Group = $"{group} {near}", Lcore = farLcore, InboundSpi = pair.Far, OutboundSpi = pair.Near, InboundKey = [.. there], OutboundKey = [.. back],
            Local = request.Remote, Remote = request.Local, LocalSelectors = farSelectors, RemoteSelectors = nearSelectors,
        });
        await Near.Children!.InstallAsync(request);
        return pair;
    }

    /// <summary>Makes a pair and sends on it, both ways.</summary>
    public async Task<ChildPair> ConnectAsync(
        string group = "dc", int nearLcore = 0, int farLcore = 0, bool fallback = false, int priority = 0, string near = "10.8.0.0/16", string far = "10.9.0.0/16",
        SaLifetime lifetime = default, EspUser? user = null, int weight = 1)
    {
        ChildPair pair = await InstallAsync(group, nearLcore, farLcore, fallback, priority, near, far, lifetime, user, weight);
        await ActivateAsync(pair);
        return pair;
    }

    public async Task ActivateAsync(ChildPair pair)
    {
        Assert.True(await Near.Children!.ActivateAsync(pair.Near));
        Assert.True(await Far.Children!.ActivateAsync(pair.Far));
    }

    public async Task RemoveAsync(ChildPair pair)
    {
        Assert.NotNull(await Near.Children!.RemoveAsync(pair.Near));
        Assert.NotNull(await Far.Children!.RemoveAsync(pair.Far));
    }

    /// <summary>Lets a packet through, again and again until it comes: routes follow a little behind the pairs.</summary>
    public static void AwaitWay(TestUser from, string source, TestUser to, string destination)
    {
        int before = Received(to);
        Eventually.True(() =>
        {
            from.SendPacket(InnerPackets.Udp(source, destination, 60));
            return Eventually.Becomes(() => Received(to) > before, TimeSpan.FromMilliseconds(50));
        }, $"the way from {source} to {destination}");
        // What is still on its way.
        Eventually.Becomes(() => false, TimeSpan.FromMilliseconds(20));
        Received(to);
    }

    /// <summary>Waits until a condition holds that takes a question to a data plane.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, string what)
    {
        long start = Environment.TickCount64;
        while (!await condition())
        {
            Assert.True(Environment.TickCount64 - start < Eventually.DefaultTimeout.TotalMilliseconds, $"waited in vain for: {what}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    public static int Received(TestUser user)
    {
        user.Receive();
        return user.Packets.Count;
    }

    public static ulong Dropped(DataPlaneStatus status, string reason) =>
        status.Lcores.SelectMany(lcore => lcore.Drops).Where(drop => drop.Reason == reason).Aggregate(0ul, (sum, drop) => sum + drop.Packets);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Near.StopAsync(TimeSpan.Zero), Far.StopAsync(TimeSpan.Zero));
        _users.ForEach(user => user.Dispose());
    }

    private static DataPlaneHost Start(BrokerConfig config) => DataPlaneHost.Start(config, [], NullLoggerFactory.Instance);

    private static BrokerConfig Config(IReadOnlyList<IPAddress> listen, string pool, int lcores, int maximumChildren) => new()
    {
        Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
        Lcores = new LcoreConfig { Cpus = [.. Enumerable.Repeat(-1, lcores)] },
        Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse(pool) }],
        Limits = new LimitsConfig { Sessions = 16 },
        Ipsec = new IpsecConfig { Listen = listen, MaximumChildren = maximumChildren },
    };
}

/// <summary>A pair of SAs by what either side calls it: its inbound SPI.</summary>
internal readonly record struct ChildPair(uint Near, uint Far);
