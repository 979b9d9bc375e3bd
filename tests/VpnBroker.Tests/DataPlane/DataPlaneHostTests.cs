using System.Net;
using CryptoPlane.Policy;
using CryptoPlane.TestKit;
using CryptoPlane.Tls;
using CryptoPlane.Traffic;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane;

/// <summary>The data plane as the control plane sees it, on threads of its own.</summary>
public sealed class DataPlaneHostTests
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(10);
    private readonly List<TunnelEnded> _ended = [];

    [Fact]
    public async Task UsersOfTwoLcores_ExchangePackets_AndStatusTells()
    {
        DataPlaneHost host = Start(Config());
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await host.AttachUserAsync(RequestOf(near, 1, 0, "10.8.0.10"));
        await host.AttachUserAsync(RequestOf(far, 2, 1, "10.8.128.10"));
        for (int i = 0; i < 50; i++)
            near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.128.10", 200, seed: i));
        Eventually.True(() => Received(far) == 50, "fifty packets");

        DataPlaneStatus status = await host.GetStatusAsync(includeTunnels: true);
        Assert.Equal([1, 1], status.Lcores.Select(lcore => lcore.Tunnels));
        UserTunnelStatus tunnel = Assert.Single(status.Tunnels, tunnel => tunnel.TunnelId == 1);
        Assert.Equal((IPAddress.Parse("10.8.0.10"), 50ul, 10_000ul), (tunnel.InnerIPv4, tunnel.Traffic.ReceivedPackets, tunnel.Traffic.ReceivedBytes));
        await host.StopAsync(s_deadline);
    }

    [Fact]
    public async Task Detach_TellsTheClientAndTheControlPlane()
    {
        DataPlaneHost host = Start(Config());
        using var client = new TestUser(1);
        await host.AttachUserAsync(RequestOf(client, 7, 0, "10.8.0.10"));
        Assert.False(await host.DetachUserAsync(8, TunnelEndReason.Administrator));
        Task<bool> detached = host.DetachUserAsync(7, TunnelEndReason.Administrator);
        Eventually.True(() => Receive(client).EndOfStream, "the end of the connection");
        client.CloseSocket();
        Assert.True(await detached);
        Assert.Equal(CstpType.Disconnect, Assert.Single(client.Frames).Type);
        Assert.Equal(new TunnelEnded(7, 70, TunnelEndReason.Administrator, 0, 0), Assert.Single(_ended));
        Assert.Empty((await host.GetStatusAsync(includeTunnels: true)).Tunnels);
        await host.StopAsync(s_deadline);
    }

    [Fact]
    public async Task NewConfiguration_ReachesTunnelsThatGoOn()
    {
        DataPlaneHost host = Start(Config());
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await host.AttachUserAsync(RequestOf(near, 1, 0, "10.8.0.10"));
        await host.AttachUserAsync(RequestOf(far, 2, 1, "10.8.128.10"));
        // Without its pool lcore 0 does not know the way to lcore 1 any more; then it does again.
        BrokerConfig without = Config() with { Pools = [] };
        await host.ApplyAsync(without);
        near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.128.10"));
        Eventually.True(() => Received(near) == 1, "the error 'no route'");
        await Task.WhenAll(host.ApplyAsync(without), host.ApplyAsync(without), host.ApplyAsync(Config()));
        near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.128.10"));
        Eventually.True(() => Received(far) == 1, "the packet");
        await host.StopAsync(s_deadline);
    }

    /// <summary>A police of a packet in ten seconds, but for its burst.</summary>
    [Fact]
    public async Task NewLimits_ReachTunnelsThatGoOn()
    {
        BrokerConfig without = Config() with { Traffic = new TrafficConfig() };
        var upload = new TrafficLimitConfig { Police = new TrafficRate { BitsPerSecond = 800, BurstBytes = 10_100 } };
        DataPlaneHost host = Start(without);
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await host.AttachUserAsync(RequestOf(near, 1, 0, "10.8.0.10"));
        await host.AttachUserAsync(RequestOf(far, 2, 1, "10.8.128.10") with { User = "other" });
        await SendAsync(20);
        await host.ApplyAsync(without with { Traffic = new TrafficConfig { Users = [new TrafficUsersConfig { Upload = upload }] } });
        await SendAsync(10);
        await host.ApplyAsync(without);
        await SendAsync(20);
        await host.StopAsync(s_deadline);

        // Of twenty packets so many pass, and the others are counted.
        async Task SendAsync(int passing)
        {
            int before = Received(far);
            ulong policed = await PolicedAsync();
            for (int i = 0; i < 20; i++)
                near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.128.10", 1_000));
            Eventually.True(() => Received(far) == before + passing, $"{passing} packets");
            Assert.Equal((ulong)(20 - passing), await PolicedAsync() - policed);
        }

        async Task<ulong> PolicedAsync() => Children.ChildBed.Dropped(await host.GetStatusAsync(false), "policed");
    }

    [Fact]
    public async Task NewPolicy_CutsAndOpensLivingFlows_OfUsersOfTwoLcores()
    {
        const string alice = "10.8.0.10", bob = "10.8.128.10";
        BrokerConfig deny = Config() with { Policy = new PolicyConfig { Default = PolicyAction.Deny } };
        BrokerConfig allow = Config() with
        {
            Policy = deny.Policy! with { Rules = [new PolicyRuleConfig { Name = "staff", Action = PolicyAction.Allow, Groups = ["staff"], Log = true }] },
        };
        DataPlaneHost host = Start(allow);
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await host.AttachUserAsync(RequestOf(near, 1, 0, alice) with { User = "alice", Groups = ["staff"] });
        await host.AttachUserAsync(RequestOf(far, 2, 1, bob) with { User = "bob" });
        byte[] there = FlowPackets.Udp(alice, bob, 4000, 53), back = FlowPackets.Udp(bob, alice, 53, 4000);
        // Bob may answer, wherever that is decided, and not begin.
        near.SendPacket(there);
        Eventually.True(() => Received(far) == 1, "the question");
        far.SendPacket(FlowPackets.Udp(bob, alice, 53, 4001));
        await DeniedAsync(host, 1);
        far.SendPacket(back);
        Eventually.True(() => Received(near) == 1, "the answer");

        await host.ApplyAsync(deny);
        near.SendPacket(there);
        await DeniedAsync(host, 2);
        await host.ApplyAsync(allow);
        near.SendPacket(there);
        Eventually.True(() => Received(far) == 2, "the question under the new policy");
        far.SendPacket(back);
        Eventually.True(() => Received(near) == 2, "the answer under the new policy");

        PolicyStatus policy = (await host.GetStatusAsync(includeTunnels: false)).Policy!;
        Assert.Equal((3u, 2), (policy.Generation, policy.Rules.Count));
        // Two decisions, and a packet each way behind each.
        Assert.Equal(("staff", 2ul, 4ul), (policy.Rules[0].Name, policy.Rules[0].Flows, policy.Rules[0].Packets));
        Assert.Equal((PolicyConfig.DefaultName, 2ul), (policy.Rules[1].Name, policy.Rules[1].Packets));
        (IReadOnlyList<PolicyDecision> decisions, ulong suppressed) = await host.TakePolicyLogAsync();
        Assert.Equal((2, 0ul), (decisions.Count, suppressed));
        Assert.All(decisions, decision => Assert.Equal(
            new PolicyDecision("staff", PolicyAction.Allow, "alice", IPAddress.Parse(alice), 4000, IPAddress.Parse(bob), 53, 17), decision));
        await host.StopAsync(s_deadline);
    }

    [Fact]
    public async Task WhatCannotBeAttached_IsRefusedAndClosed()
    {
        DataPlaneHost host = Start(Config() with { Limits = new LimitsConfig { Sessions = 0 } });
        await Refused(host, user => RequestOf(user, 1, 2, "10.8.0.10"));
        await Refused(host, user => RequestOf(user, 1, 0, "10.8.0.10") with { Mtu = 9000 });
        await host.StopAsync(s_deadline);
        await Refused(host, user => RequestOf(user, 1, 0, "10.8.0.10"));
    }

    [Fact]
    public async Task Stop_TellsAllClientsAndEndsInTime()
    {
        DataPlaneHost host = Start(Config());
        TestUser[] clients = [.. Enumerable.Range(0, 100).Select(i => new TestUser(i + 1))];
        await Task.WhenAll(clients.Select((client, i) => host.AttachUserAsync(RequestOf(client, (ulong)i + 1, i % 2, $"10.8.{i % 2 * 128}.{10 + i}"))));
        Task stopped = host.StopAsync(s_deadline);
        foreach (TestUser client in clients)
        {
            Eventually.True(() => Receive(client).EndOfStream, "the end of the connection");
            Assert.Equal(CstpType.Disconnect, Assert.Single(client.Frames).Type);
            Assert.Equal(TlsAlert.CloseNotify, client.Alert);
            client.Dispose();
        }
        await stopped;
        Assert.Equal(100, _ended.Count);
        Assert.All(_ended, ended => Assert.Equal(TunnelEndReason.Shutdown, ended.Reason));
    }

    [Fact]
    public async Task ClientsThatNeverClose_DoNotHoldTheStopUp()
    {
        DataPlaneHost host = Start(Config());
        using var client = new TestUser(1);
        await host.AttachUserAsync(RequestOf(client, 1, 0, "10.8.0.10"));
        await host.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.Equal(TunnelEndReason.Shutdown, Assert.Single(_ended).Reason);
    }

    [Fact]
    public async Task TwoDataPlanes_AreJoinedByEspOverUdp()
    {
        int firstPort = FreePort.Udp(), secondPort = FreePort.Udp();
        byte[] there = [.. Enumerable.Range(1, 20).Select(i => (byte)i)], back = [.. Enumerable.Range(101, 20).Select(i => (byte)i)];
        DataPlaneHost first = Start(EspConfigOf("10.8.0.0/16", "10.9.0.0/16", firstPort, secondPort, back, there), new SequenceRange(1, 1000));
        DataPlaneHost second = Start(EspConfigOf("10.9.0.0/16", "10.8.0.0/16", secondPort, firstPort, there, back), new SequenceRange(1, 1000));
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await first.AttachUserAsync(RequestOf(near, 1, 0, "10.8.0.10"));
        await second.AttachUserAsync(RequestOf(far, 2, 0, "10.9.0.10"));
        for (int i = 0; i < 30; i++)
            near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.9.0.10", 300, seed: i));
        Eventually.True(() => Received(far) == 30, "thirty packets through ESP");
        far.SendPacket(InnerPackets.Udp("10.9.0.10", "10.8.0.10", 300));
        Eventually.True(() => Received(near) == 1, "an answer through ESP");

        ulong[] positions = new ulong[1];
        first.ReadSequencePositions(positions);
        Assert.Equal(31ul, positions[0]);
        await first.RaiseSequenceLimitAsync(0, 5000);
        DataPlaneStatus status = await first.GetStatusAsync(false);
        EspPairStatus pair = Assert.Single(status.Esp);
        Assert.Equal((31ul, 5000ul, 30ul, 1ul), (pair.NextSequence, pair.SequenceLimit, pair.Traffic.SentPackets, pair.Traffic.ReceivedPackets));
        DevicePortStatus socket = Assert.Single(status.Ports);
        Assert.Equal(($"udp:127.0.0.1:{firstPort}", 0, 30ul, 1ul), (socket.Name, socket.Lcore, socket.Reading.SentPackets, socket.Reading.ReceivedPackets));
        Assert.True(socket.Reading.SentBytes > 30 * 300, "ESP is longer than what it carries");
        Assert.All(socket.Reading.Drops, drop => Assert.Equal(0ul, drop.Packets));
        Assert.Contains(socket.Reading.Counters, counter => counter is { Name: "send-calls", Value: > 0 });
        await Task.WhenAll(first.StopAsync(TimeSpan.Zero), second.StopAsync(TimeSpan.Zero));
        first.ReadSequencePositions(positions);
        Assert.Equal(31ul, positions[0]);
    }

    internal static UserTunnelRequest RequestOf(TestUser user, ulong id, int lcore, string address) => new()
    {
        TunnelId = id,
        SessionId = id * 10,
        User = "user",
        Lcore = lcore,
        Socket = user.BrokerSocket,
        TrafficStates = user.StatesAddress,
        Unread = [],
        InnerIPv4 = IPAddress.Parse(address),
        Mtu = 1400,
        DpdSeconds = 0,
        KeepaliveSeconds = 0,
        IdleSeconds = 0,
        UnsentBytes = 262_144,
    };

    private DataPlaneHost Start(BrokerConfig config, params SequenceRange[] ranges)
    {
        DataPlaneHost host = DataPlaneHost.Start(config, ranges, NullLoggerFactory.Instance);
        host.TunnelEnded = _ended.Add;
        return host;
    }

    private static async Task Refused(DataPlaneHost host, Func<TestUser, UserTunnelRequest> request)
    {
        using var client = new TestUser(1);
        await Assert.ThrowsAsync<InvalidOperationException>(() => host.AttachUserAsync(request(client)));
        Assert.True(Receive(client).EndOfStream);
    }

    private static async Task DeniedAsync(DataPlaneHost host, ulong packets)
    {
        ulong denied = 0;
        for (int i = 0; i < 500 && denied < packets; i++)
        {
            DataPlaneStatus status = await host.GetStatusAsync(includeTunnels: false);
            denied = status.Lcores.SelectMany(lcore => lcore.Drops).Where(drop => drop.Reason == "policy-denied").Aggregate(0ul, (sum, drop) => sum + drop.Packets);
            await Task.Delay(10);
        }
        Assert.Equal(packets, denied);
    }

    private static TestUser Receive(TestUser user)
    {
        user.Receive();
        return user;
    }

    private static int Received(TestUser user) => Receive(user).Packets.Count;

    private static BrokerConfig Config() => new()
    {
        Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
        Dtls = new DtlsConfig { Enabled = false },
        Lcores = new LcoreConfig { Cpus = [-1, -1] },
        Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/16") }],
        Limits = new LimitsConfig { Sessions = 500 },
    };

    internal static BrokerConfig EspConfigOf(string pool, string remote, int localPort, int remotePort, byte[] inboundKey, byte[] outboundKey) => new()
    {
        Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
        Dtls = new DtlsConfig { Enabled = false },
        Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse(pool) }],
        Limits = new LimitsConfig { Sessions = 10 },
        Esp = new EspConfig
        {
            StateFile = "none",
            Tunnels =
            [
                new EspTunnelConfig
                {
                    Name = "other",
                    Mode = EspMode.Udp,
                    Local = new IPEndPoint(IPAddress.Loopback, localPort),
                    Remote = new IPEndPoint(IPAddress.Loopback, remotePort),
                    RemotePrefixes = [IPNetwork.Parse(remote)],
                    Pairs =
                    [
                        new EspSaPairConfig
                        {
                            Lcore = 0,
                            Inbound = new EspSaConfig { Spi = 0x0100_0001, Key = new EspKey(inboundKey.AsSpan(0, 16), inboundKey.AsSpan(16)) },
                            Outbound = new EspSaConfig { Spi = 0x0100_0001, Key = new EspKey(outboundKey.AsSpan(0, 16), outboundKey.AsSpan(16)) },
                        },
                    ],
                },
            ],
        },
    };
}
