using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Flows;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Several peers with one prefix, as an lcore sees them: which flow goes by which, and what moves when the table does.</summary>
public sealed unsafe class PeerStageTests
{
    private const string Host = "192.0.2.9", Behind = "10.40.0.1";
    private const int Flows = 400;

    [Fact]
    public void Flows_are_spread_by_the_table_and_stay_when_it_moves()
    {
        using var bed = new PeerBed();
        bed.Share([0, 1, 2], [2, 1, 1]);
        bed.SendAll();
        ulong[] first = bed.Sent();
        Assert.Equal((ulong)Flows, (ulong)first.Sum(count => (long)count));
        // 200 of 400, by a hash that nobody knows: further off than this once in a million times.
        Assert.InRange(first[0], 150ul, 250ul);
        Assert.InRange(first[1], 60ul, 140ul);

        bed.Move([1, 1, 1000]);
        bed.SendAll();
        Assert.Equal(first.Select(count => 2 * count), bed.Sent());
        bed.SendAll(from: 10_000);
        Assert.InRange(bed.Sent()[2] - (2 * first[2]), (ulong)Flows - 10, (ulong)Flows);
        Assert.Equal(2 * Flows, bed.Worker.Context.Flows!.Table.Count);
    }

    [Fact]
    public void Flows_of_a_dead_peer_go_to_the_others_and_do_not_come_back()
    {
        using var bed = new PeerBed();
        bed.Share([0, 1, 2], [1, 1, 1]);
        bed.SendAll();
        int[] before = bed.Ends();
        bed.Share([1, 2], [1, 1]);
        bed.SendAll();
        int[] without = bed.Ends();
        Assert.All(before.Zip(without), end => Assert.Equal(end.First == 0, end.First != end.Second));
        Assert.Equal([1, 2], without.Distinct().Order());
        bed.Share([0, 1, 2], [1, 1, 1]);
        bed.SendAll();
        Assert.Equal(without, bed.Ends());
        // The sessions are those of the beginning: none ended with its peer.
        Assert.Equal((ulong)Flows, bed.Worker.Counters.Flows.Begun);
        bed.SendAll(from: 10_000);
        Assert.Contains(0, bed.Ends(from: 10_000));
    }

    [Fact]
    public void Fragments_and_errors_go_the_way_of_their_session()
    {
        using var bed = new PeerBed();
        bed.Share([0, 1], [1000, 1]);
        byte[] sent = FlowPackets.Udp(Host, Behind, 4000, 53, 72);
        bed.Send(sent);
        int way = Assert.Single(bed.Ends(4000, 1));
        int[] table = way == 0 ? [1, 1000] : [1000, 1];
        bed.Share([0, 1], [.. table.Select(weight => (double)weight)]);
        for (ushort id = 100; id < 120; id++)
        {
            bed.Send(FlowPackets.IPv4(Host, Behind, 17, sent[20..], more: true, id: id));
            bed.Send(FlowPackets.IPv4(Host, Behind, 17, new byte[32], offset: 80, id: id));
            bed.Send(FlowPackets.IcmpError("192.0.2.99", Behind, 3, 3, FlowPackets.Udp(Behind, Host, 53, 4000)));
        }
        Assert.Equal(61ul, bed.Sent()[way]);
        Assert.Equal(0ul, bed.Sent()[1 - way]);
    }

    [Fact]
    public void Without_sessions_the_table_decides_and_fragments_and_errors_follow_their_flow()
    {
        using var bed = new PeerBed(keepsFlows: false);
        bed.Share([0, 1, 2], [1, 1, 1]);
        for (ushort port = 1; port <= 60; port++)
        {
            ulong[] before = bed.Sent();
            byte[] sent = FlowPackets.Udp(Host, Behind, port, 53, 72);
            bed.Send(sent);
            bed.Send(FlowPackets.IPv4(Host, Behind, 17, sent[20..], more: true, id: port));
            bed.Send(FlowPackets.IPv4(Host, Behind, 17, new byte[32], offset: 80, id: port));
            bed.Send(FlowPackets.IcmpError("192.0.2.99", Behind, 3, 3, FlowPackets.Udp(Behind, Host, 53, port)));
            Assert.Equal([0ul, 0ul, 4ul], bed.Sent().Zip(before).Select(count => count.First - count.Second).Order());
        }
        Assert.All(bed.Sent(), count => Assert.NotEqual(0ul, count));
    }

    [Fact]
    public void A_peer_whose_sa_has_just_gone_is_passed_over_before_routes_know()
    {
        using var bed = new PeerBed();
        bed.Share([0, 1], [1, 1]);
        bed.SendAll();
        ulong[] before = bed.Sent();
        OutboundSa* gone = bed.Worker.Pairs[0]->Outbound;
        bed.Worker.Pairs[0]->Outbound = null;
        bed.SendAll();
        bed.Worker.Pairs[0]->Outbound = gone;
        Assert.Equal([before[0], before[1] + Flows, 0ul], bed.Sent());
        Assert.Equal(0ul, bed.Worker.Counters.Dropped(DropReason.NoPort));
        bed.Worker.AssertNothingHeld();
    }

    [Fact]
    public void Packets_of_shared_peers_allocate_nothing()
    {
        Replay? tun = null;
        using var bed = new PeerBed(tun: pool => tun = new Replay(pool));
        bed.Share([0, 1, 2], [3, 2, 1]);
        long now = bed.Worker.Now.Ticks * 100;
        Turns(500);
        // Half of the sessions have to be turned to the peer that they go by, against the table.
        bed.Share([0, 1, 2], [1, 2, 3]);
        Turns(500);
        ulong sent = bed.Worker.Counters.Esp.SentPackets;
        AllocationReading reading = AllocationMeter.Measure(() => Turns(4_000));
        Assert.Equal(4_000ul * Replay.PerTurn, bed.Worker.Counters.Esp.SentPackets - sent);
        Assert.Equal((0, 0), (reading.AllocatedBytes, reading.Exceptions));

        void Turns(int turns)
        {
            for (int turn = 0; turn < turns; turn++)
            {
                tun!.Due = Replay.PerTurn;
                bed.Worker.Worker.Poll(now);
            }
        }
    }

    /// <summary>An lcore with a TUN port, and three peers with a pair of SAs each.</summary>
    private sealed class PeerBed : IDisposable
    {
        private const int Peers = 3;

        private readonly FlowHashSeed _seed = FlowHashSeed.Random();
        private readonly TestPort? _tun;

        public PeerBed(bool keepsFlows = true, Func<PacketPool, IPacketPort>? tun = null)
        {
            TestPort? own = null;
            Worker = new WorkerBed(config: new BrokerConfig { Esp = new EspConfig { StateFile = "none", Tunnels = [.. Enumerable.Range(0, Peers).Select(Tunnel)] } },
                keepsFlows: keepsFlows, ports: pool => new LcorePorts
                {
                    Tun = new WatchedPort(tun?.Invoke(pool) ?? (own = new TestPort(pool)), -1), Esp = [new EspPort(new Sink(pool), -1, EspIngress.UdpPayload)],
                });
            _tun = own;
            for (int i = 0; i < Peers; i++)
            {
                EspPair* pair = Worker.Pairs[i];
                pair->Outbound = OutboundSa.Create(
                    new OutboundSaParameters { Spi = 1000 + (uint)i, Algorithm = AeadAlgorithm.Aes128Gcm, ExtendedSequenceNumbers = true, SequenceLimit = ulong.MaxValue }, new byte[20]);
                pair->Remote = PacketEndpoint.From(IPEndPoint.Parse("127.0.0.1:4500"));
                Worker.Context.Sad.Add(pair->Outbound);
            }
        }

        public WorkerBed Worker { get; }

        /// <summary>Lets peers share 10.40.0.0/16 by weights, as the supervisor would tell it.</summary>
        public void Share(int[] members, double[] weights)
        {
            EspTarget[] targets = [.. Enumerable.Range(0, Peers).Select(peer => new EspTarget { Mtu = members.Contains(peer) ? 1400 : 0, IsNegotiated = true })];
            ForwardingSnapshot* snapshot = ForwardingSnapshot.Create(
                [new Route(IPNetwork.Parse("10.40.0.0/16"), new RouteTarget(RouteKind.Peers, 0)), .. WorkerBed.Routes], targets);
            Assert.True(snapshot->SwapPeers(Group(members, weights)) == null);
            snapshot->PeerSeed = _seed;
            Worker.Post(new LcoreMessage { Kind = LcoreMessageKind.Forwarding, Pointer = (nint)snapshot });
            Worker.Poll();
            ForwardingSnapshot.Free((ForwardingSnapshot*)Worker.Events.Single(report => report.Kind == LcoreEventKind.ForwardingReplaced).Pointer);
            Worker.Events.Clear();
        }

        /// <summary>Gives all peers other parts of new flows, as the supervisor does by what they carry.</summary>
        public void Move(double[] weights)
        {
            Worker.Post(new LcoreMessage { Kind = LcoreMessageKind.Peers, Pointer = (nint)Group([.. Enumerable.Range(0, Peers)], weights) });
            Worker.Poll();
            NativeMemory.Free((void*)Worker.Events.Single(report => report.Kind == LcoreEventKind.PeersReplaced).Pointer);
            Worker.Events.Clear();
        }

        private static PeerGroup* Group(int[] members, double[] weights)
        {
            var group = (PeerGroup*)NativeMemory.AllocZeroed((nuint)sizeof(PeerGroup));
            byte[] slots = [.. Enumerable.Repeat(PeerSlots.Nobody, PeerGroup.Slots)];
            PeerSlots.Move(slots, PeerSlots.Divide(weights, slots.Length));
            group->Set(members, [.. members.Select(_ => PeerGroup.None)], slots);
            return group;
        }

        public void Send(byte[] packet)
        {
            _tun!.Incoming.Enqueue(packet);
            Worker.Poll();
        }

        /// <summary>Sends a packet of each flow.</summary>
        public void SendAll(ushort from = 1000)
        {
            for (int flow = 0; flow < Flows; flow++)
                _tun!.Incoming.Enqueue(FlowPackets.Udp(Host, Behind, (ushort)(from + flow), 53));
            Worker.Poll();
        }

        /// <summary>Packets that each peer has got.</summary>
        public ulong[] Sent() => [.. Enumerable.Range(0, Peers).Select(peer => Worker.Pairs[peer]->Outbound->Packets)];

        /// <summary>By which peer each session goes.</summary>
        public int[] Ends(ushort from = 1000, int count = Flows)
        {
            int[] ends = new int[count];
            for (int index = 0; index < Worker.Context.Flows!.Table.EndIndex; index++)
            {
                SessionKey key = Worker.Context.Flows.Table.Key(index);
                int flow = Math.Max(key.LowerPort, key.UpperPort) - from;
                if (Worker.Context.Flows.Table.IsUsed(index) && (uint)flow < (uint)count)
                    ends[flow] = (int)Worker.Context.Flows.Table.State(index)->EgressId;
            }
            return ends;
        }

        public void Dispose() => Worker.Dispose();

        private static EspTunnelConfig Tunnel(int number) => new()
        {
            Name = $"dc{number}", Mode = EspMode.Udp, Local = IPEndPoint.Parse("127.0.0.1:4500"), Remote = IPEndPoint.Parse("127.0.0.2:4500"),
            RemotePrefixes = [IPNetwork.Parse($"10.3{number}.0.0/16")], Mtu = 1400, Pairs = [new EspSaPairConfig { Lcore = 0, Inbound = Sa(256), Outbound = Sa(257) }],
        };

        private static EspSaConfig Sa(uint spi) => new() { Spi = spi, Key = new EspKey(new byte[16], new byte[4]) };
    }

    /// <summary>Takes what is sent.</summary>
    private sealed class Sink(PacketPool pool) : IPacketPort
    {
        public int Receive(PacketBuffer** burst, int capacity) => 0;

        public int Transmit(PacketBuffer** burst, int count)
        {
            for (int i = 0; i < count; i++)
                pool.Return(burst[i]);
            return count;
        }
    }

    /// <summary>Brings packets of some flows, whose memory is made beforehand.</summary>
    private sealed class Replay(PacketPool pool) : IPacketPort
    {
        public const int PerTurn = 64;

        private readonly byte[][] _packets = [.. Enumerable.Range(1, 256).Select(port => FlowPackets.Udp(Host, Behind, (ushort)port, 53))];
        private int _next;

        /// <summary>Packets that are to come.</summary>
        public int Due { get; set; }

        public int Receive(PacketBuffer** burst, int capacity)
        {
            int count = 0;
            while (count < capacity && Due > 0 && pool.TryRent(out PacketBuffer* packet))
            {
                byte[] bytes = _packets[_next++ % _packets.Length];
                packet->TrySetLength(bytes.Length);
                bytes.CopyTo(packet->Span);
                burst[count++] = packet;
                Due--;
            }
            return count;
        }

        public int Transmit(PacketBuffer** burst, int count) => 0;
    }
}
