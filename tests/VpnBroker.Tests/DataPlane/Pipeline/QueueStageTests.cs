using System.Net;
using CryptoPlane.TestKit;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Traffic management in the pipeline of an lcore, by a clock of the test's own.</summary>
public sealed unsafe class QueueStageTests
{
    private const string Host = "192.0.2.1";

    [Fact]
    public void ShapedUser_GetsItsRate_AndNothingIsSealedThatIsDropped()
    {
        using WorkerBed bed = Bed(new TrafficConfig
        {
            TargetMilliseconds = 0,
            Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate("8M") } }],
            Classes = [new TrafficClassConfig { Name = "all", QueuePackets = 50 }],
        });
        TestUser client = bed.Connect("10.8.0.10");
        // Four times the rate, for a second.
        int offered = Offer(bed, 1000, () => bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1000)), perTurn: 4);
        client.Receive();
        Assert.InRange(client.Packets.Count, 980, 1_000 + 12);
        TrafficCounters counters = bed.Counters;
        Assert.Equal((ulong)client.Packets.Count, counters.Users.SentPackets);
        // Every record that got a sequence number has arrived.
        Assert.Equal((ulong)client.Packets.Count, bed.Tunnel(client).Counters.SentPackets);
        QueueCounters queue = bed.Context.Queues!.Outside.ReadTunnel(client.Slot);
        Assert.InRange(queue.WaitingPackets, 49, 50);
        Assert.Equal((ulong)offered - counters.Users.SentPackets - (ulong)queue.WaitingPackets, counters.Dropped(DropReason.QueueFull));
        Assert.InRange(queue.LargestDelayNanoseconds, 45_000_000, 55_000_000);
        Assert.InRange(bed.Worker.NextDeadline, bed.Now.Ticks * 100 - 1, bed.Now.Ticks * 100 + 1_100_000);
    }

    [Fact]
    public void HeavyUser_StarvesNobodyAtTheBottleneck()
    {
        const int users = 10;
        using WorkerBed bed = Bed(new TrafficConfig { Outside = Rate("40M 2ms"), TotalPackets = 1_000 });
        TestUser[] clients = [.. Enumerable.Range(0, users).Select(i => bed.Connect($"10.8.0.{10 + i}"))];
        int turn = 0;
        // Each turn is a millisecond, in which five packets of 1,000 bytes can leave. Everybody sends its share, user 0 ten times that.
        int offered = Offer(bed, 1_000, () =>
        {
            if (turn % 2 == 0)
            {
                foreach (TestUser client in clients)
                    bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, $"10.8.0.{10 + client.Slot}", 1_000));
            }
            for (int i = 0; i < 5; i++)
                bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
            turn++;
        }, perTurn: 1);
        foreach (TestUser client in clients)
            client.Receive();
        Assert.All(clients[1..], client => Assert.InRange(client.Packets.Count, 500 * 0.95, 500));
        Assert.InRange(clients.Sum(client => client.Packets.Count), 4_900, 5_000 + 20);
        Assert.True(bed.Counters.Dropped(DropReason.QueueDelay) + bed.Counters.Dropped(DropReason.QueuesFull) + bed.Counters.Dropped(DropReason.QueueFull) > 1_000);
        Assert.True(offered > 0);
    }

    [Fact]
    public void Police_DropsBehindTheRateInBothDirections()
    {
        using WorkerBed bed = Bed(new TrafficConfig
        {
            Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Police = Rate("8M") }, Upload = new TrafficLimitConfig { Police = Rate("4M") } }],
        });
        TestUser client = bed.Connect("10.8.0.10");
        byte[] packet = InnerPackets.Udp("10.8.0.10", Host, 1_000);
        Offer(bed, 500, () =>
        {
            client.SendPacket(packet);
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
        }, perTurn: 1);
        client.Receive();
        Assert.InRange(client.Packets.Count, 495, 511);
        Assert.InRange(bed.Tun.Outgoing.Count, 245, 256);
        Assert.Equal((ulong)(1_500 - client.Packets.Count - bed.Tun.Outgoing.Count), bed.Counters.Dropped(DropReason.Policed));
        bed.AssertNothingHeld();
    }

    [Fact]
    public void UploadsShareTheInsidePort_ByTheUserTheyComeFrom()
    {
        using WorkerBed bed = Bed(new TrafficConfig
        {
            Inside = Rate("16M 2ms"),
            Users = [new TrafficUsersConfig { Users = ["gold"], Weight = 3 }, new TrafficUsersConfig()],
        });
        TestUser gold = bed.Connect("10.8.0.10", name: "gold"), plain = bed.Connect("10.8.0.11");
        byte[] first = InnerPackets.Udp("10.8.0.10", Host, 1_000), second = InnerPackets.Udp("10.8.0.11", Host, 1_000);
        Offer(bed, 1_000, () =>
        {
            for (int i = 0; i < 3; i++)
            {
                gold.SendPacket(first);
                plain.SendPacket(second);
            }
        }, perTurn: 1);
        int ofGold = bed.Tun.Outgoing.Count(packet => packet[15] == 10);
        Assert.InRange(bed.Tun.Outgoing.Count, 1_950, 2_020);
        Assert.InRange(ofGold / (double)bed.Tun.Outgoing.Count, 0.72, 0.78);
    }

    [Fact]
    public void ExpeditedPackets_OvertakeTheOthersInAShapedTunnel()
    {
        using WorkerBed bed = Bed(new TrafficConfig
        {
            TargetMilliseconds = 0,
            Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate("8M") } }],
            Classes =
            [
                new TrafficClassConfig { Name = "voice", Priority = 0, Matches = [new TrafficMatchConfig { Dscp = [46] }] },
                new TrafficClassConfig { Name = "rest" },
            ],
        });
        TestUser client = bed.Connect("10.8.0.10");
        for (int i = 0; i < 100; i++)
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
        bed.Poll();
        bed.Tun.Incoming.Enqueue(Marked(InnerPackets.Udp(Host, "10.8.0.10", 200), 46));
        Offer(bed, 3, () => { }, perTurn: 0);
        client.Receive();
        Assert.Contains(client.Packets, packet => packet[1] == 46 << 2);
        Assert.InRange(client.Packets.Count, 12, 17);
        Assert.Equal(1, bed.Context.Queues!.Outside.ReadClass(0).SentPackets);
    }

    [Fact]
    public void TunnelThatEnds_GivesBackWhatWaited()
    {
        using WorkerBed bed = Bed(new TrafficConfig { Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate("100k") } }] });
        TestUser client = bed.Connect("10.8.0.10");
        for (int i = 0; i < 50; i++)
            bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
        bed.Poll();
        Assert.True(bed.Context.Queues!.Outside.WaitingPackets > 40);
        ulong waiting = (ulong)bed.Context.Queues.Outside.WaitingPackets;
        client.CloseSocket();
        bed.Poll();
        Assert.Equal(waiting, bed.Counters.Dropped(DropReason.TunnelEnding));
        Assert.Equal(long.MaxValue, bed.Context.Queues.NextDeadline);
        bed.AssertNothingHeld();
        // The slot's next tunnel begins anew.
        TestUser next = bed.Connect("10.8.0.10", slot: client.Slot);
        bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000));
        bed.Poll();
        next.Receive();
        Assert.Single(next.Packets);
    }

    [Fact]
    public void ShapedEspTunnel_UsesNoSequenceNumberForWhatItDrops()
    {
        using var link = new EspForwardingTests.EspLink(traffic: new TrafficConfig
        {
            Tunnels = [new TrafficTunnelsConfig { Names = ["dc"], Send = new TrafficLimitConfig { Shape = Rate("8M") } }],
            Classes = [new TrafficClassConfig { Name = "all", QueuePackets = 20 }],
        });
        link.Users.Context.Queues!.OpenEsp(0, link.Users.Context.Traffic!.OfTunnel("dc", 1));
        TestUser client = link.Users.Connect("10.8.0.10");
        byte[] packet = InnerPackets.Udp("10.8.0.10", "10.20.0.1", 1_000);
        for (int turn = 0; turn < 200; turn++)
        {
            for (int i = 0; i < 3; i++)
                client.SendPacket(packet);
            link.Users.Now += TimeSpan.FromMilliseconds(1);
            link.Exchange();
        }
        Assert.InRange(link.Network.Tun.Outgoing.Count, 195, 215);
        Assert.Equal((ulong)link.Network.Tun.Outgoing.Count, link.Users.Pairs[0]->Outbound->Sequence);
        ulong drops = link.Users.Counters.Dropped(DropReason.QueueFull) + link.Users.Counters.Dropped(DropReason.QueueDelay);
        Assert.Equal(600 - (ulong)link.Network.Tun.Outgoing.Count - (ulong)link.Users.Context.Queues.Outside.WaitingPackets, drops);
    }

    [Fact]
    public void SlowReader_LetsItsPacketsWaitWhereTheyAreDroppedEarly()
    {
        using WorkerBed bed = Bed(new TrafficConfig { Classes = [new TrafficClassConfig { Name = "all", QueuePackets = 100 }] });
        var user = new TestUser(1, brokerSendBuffer: 16_384);
        TestUser client = bed.Connect("10.8.0.10", user: user);
        Offer(bed, 1_000, () => bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000)), perTurn: 1, reads: false);
        Assert.Equal(0ul, bed.Counters.Dropped(DropReason.SlowReader));
        Assert.Equal(100, bed.Context.Queues!.Outside.WaitingPackets);
        Assert.True(bed.Counters.Dropped(DropReason.QueueFull) > 500);
        // It reads again, slowly: CoDel takes out of the queue what has waited for too long.
        for (int turn = 0; turn < 2_000 && bed.Context.Queues.Outside.WaitingPackets > 0; turn++)
        {
            client.Receive(1_500);
            bed.Now += TimeSpan.FromMilliseconds(2);
            bed.Poll();
        }
        Assert.Equal(0, bed.Context.Queues.Outside.WaitingPackets);
        Assert.True(bed.Counters.Dropped(DropReason.QueueDelay) > 0);
        for (int turn = 0; turn < 1_000 && bed.Tunnel(client).Unsent.Length > 0; turn++)
        {
            client.Receive();
            bed.Poll();
        }
        client.Receive();
        Assert.Equal(bed.Tunnel(client).Counters.SentPackets, (ulong)client.Packets.Count);
        bed.AssertNothingHeld();
    }

    [Fact]
    public void SharesOfTheSupervisor_ChangeRatesAndComeBack()
    {
        using WorkerBed bed = Bed(new TrafficConfig { Outside = Rate("8M"), TargetMilliseconds = 0 });
        TestUser client = bed.Connect("10.8.0.10");
        LcoreShares* shares = LcoreShares.Allocate(1, 1);
        shares->Outside = Rate("800k");
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Shares, Pointer = (nint)shares });
        bed.Poll();
        Assert.Contains(bed.Events, report => report.Kind == LcoreEventKind.SharesTaken && report.Pointer == (nint)shares);
        LcoreShares.Free(shares);
        Offer(bed, 1_000, () => bed.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, "10.8.0.10", 1_000)), perTurn: 1);
        client.Receive();
        Assert.InRange(client.Packets.Count, 98, 115);
    }

    [Fact]
    public void WithoutTheSection_ThereAreNoQueues()
    {
        using var bed = new WorkerBed();
        Assert.Null(bed.Context.Queues);
        Assert.Equal(long.MaxValue, bed.Worker.NextDeadline);
    }

    [Fact]
    public void Queues_AllocateNothing()
    {
        using WorkerBed bed = Bed(new TrafficConfig
        {
            Outside = Rate("50M"),
            Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate("20M"), Police = Rate("30M") } }],
            Classes = [new TrafficClassConfig { Name = "web", Matches = [new TrafficMatchConfig { Protocol = 6, Ports = [(443, 443)] }] }, new TrafficClassConfig { Name = "rest" }],
        });
        TestUser[] clients = [.. Enumerable.Range(0, 4).Select(i => bed.Connect($"10.8.0.{10 + i}"))];
        byte[][] packets = [.. clients.Select(client => InnerPackets.Udp(Host, $"10.8.0.{10 + client.Slot}", 1_000))];
        byte* sink = stackalloc byte[65_536];
        nint place = (nint)sink;
        // As two connections of one user, whose parts change five times per second.
        LcoreShares* shares = LcoreShares.Allocate(2, 2);
        nint block = (nint)shares;
        void Run()
        {
            for (int turn = 0; turn < 2_000; turn++)
            {
                if (turn % 200 == 0)
                    PostParts(bed, (LcoreShares*)block, turn / 200 % 2);
                for (int i = 0; i < 8; i++)
                    bed.Tun.Incoming.Enqueue(packets[i % 4]);
                bed.Now += TimeSpan.FromMilliseconds(1);
                bed.Worker.Poll(bed.Now.Ticks * 100);
                foreach (TestUser client in clients)
                {
                    while (CryptoPlane.IO.TcpSocket.Receive(client.ClientSocket, (byte*)place, 65_536, out _) == CryptoPlane.IO.IoStatus.Done)
                    {
                    }
                }
            }
        }
        Run();
        Assert.Equal(0, AllocationMeter.MeasureUntilSteady(Run).AllocatedBytes);
        LcoreShares.Free(shares);
        Assert.True(bed.Counters.Dropped(DropReason.Policed) > 0);
        Assert.True(bed.Counters.Dropped(DropReason.QueueDelay) + bed.Counters.Dropped(DropReason.QueueFull) > 0);
    }

    /// <summary>Three quarters of a limit to one of the first two tunnels, and the rest to the other one.</summary>
    private static void PostParts(WorkerBed bed, LcoreShares* shares, int favourite)
    {
        shares->Outside = bed.Context.Traffic!.Outside;
        shares->TunnelCount = 0;
        for (int slot = 0; slot < 2; slot++)
        {
            long bits = slot == favourite ? 15_000_000 : 5_000_000;
            TrafficRate part = new() { BitsPerSecond = bits, BurstBytes = 12_500 };
            Assert.True(shares->TryAdd(new TunnelShare { Node = slot, Limits = new TunnelLimits { SendShape = part, SendPolice = part } }));
        }
        bed.Post(new LcoreMessage { Kind = LcoreMessageKind.Shares, Pointer = (nint)shares });
    }

    private static TrafficRate Rate(string text) =>
        VpnBroker.Configuration.Parsing.TrafficValues.TryParseRate(text, out TrafficRate rate) ? rate : throw new ArgumentException(text);

    private static WorkerBed Bed(TrafficConfig traffic) => new(config: new BrokerConfig
    {
        Traffic = traffic,
        Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/24") }],
        Tun = new TunConfig { Routes = [IPNetwork.Parse("192.0.2.0/24")] },
    });

    private static byte[] Marked(byte[] packet, int dscp)
    {
        packet[1] = (byte)(dscp << 2);
        // A session of its own: its first packet decides the class.
        packet[21]++;
        InnerPackets.FixHeaderChecksum(packet);
        return packet;
    }

    /// <summary>Turns of a millisecond, in each of which packets come several times.</summary>
    /// <returns>How often they came.</returns>
    private static int Offer(WorkerBed bed, int milliseconds, Action add, int perTurn, bool reads = true)
    {
        for (int turn = 0; turn < milliseconds; turn++)
        {
            bed.Now += TimeSpan.FromMilliseconds(1);
            for (int i = 0; i < perTurn; i++)
                add();
            bed.Poll();
            if (reads)
                bed.ReceiveAll();
        }
        return milliseconds * perTurn;
    }
}
