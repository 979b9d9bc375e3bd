using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Two brokers with an ESP tunnel between them: users behind one, a network behind the other.</summary>
public sealed unsafe class EspForwardingTests
{
    private const string User = "10.8.0.10", Host = "10.20.0.1";

    [Fact]
    public void UserAndNetwork_ExchangePacketsThroughEsp()
    {
        using var link = new EspLink();
        TestUser client = link.Users.Connect(User);
        for (int i = 0; i < 100; i++)
        {
            client.SendPacket(InnerPackets.Udp(User, Host, 100 + i, seed: i));
            link.Network.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, User, 300 + i, seed: i));
        }
        link.Exchange();
        client.Receive();
        Assert.Equal(100, link.Network.Tun.Outgoing.Count);
        Assert.Equal(100, client.Packets.Count);
        byte[] expected = ForwardingTests.OneHopLess(ForwardingTests.OneHopLess(InnerPackets.Udp(User, Host, 142, seed: 42)));
        Assert.Equal(expected, link.Network.Tun.Outgoing[42]);
        Assert.Equal((100ul, 100ul), (link.Users.Pairs[0]->Outbound->Packets, link.Users.Pairs[0]->Inbound->Packets));
        Assert.Equal((ulong)Enumerable.Range(100, 100).Sum(), link.Users.Pairs[0]->Outbound->Bytes);
        link.Users.AssertNothingHeld();
        link.Network.AssertNothingHeld();
    }

    [Fact]
    public void ReplayedForgedAndRandomPackets_AreDropped()
    {
        using var link = new EspLink();
        TestUser client = link.Users.Connect(User);
        client.SendPacket(InnerPackets.Udp(User, Host));
        link.Users.Poll();
        byte[] packet = Assert.Single(link.UsersPort.Outgoing);
        byte[] forged = [.. packet];
        forged[^1] ^= 1;
        foreach (byte[] received in (byte[][])[forged, packet, packet])
            link.NetworkPort.Incoming.Enqueue(received);
        link.Network.Poll();
        Assert.Single(link.Network.Tun.Outgoing);
        Assert.Equal(1ul, link.Network.Worker.EspOpenDrops[EspDropReason.AuthenticationFailed]);
        Assert.Equal(1ul, link.Network.Worker.EspOpenDrops[EspDropReason.Replayed]);

        var random = new Random(5);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = packet[..random.Next(0, packet.Length + 1)];
            for (int change = random.Next(1, 4); change > 0 && bytes.Length > 0; change--)
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            link.NetworkPort.Incoming.Enqueue(bytes);
            if (i % 200 == 0)
                link.Network.Poll();
        }
        link.Network.Poll();
        Assert.Single(link.Network.Tun.Outgoing);
        link.Network.AssertNothingHeld();
    }

    [Fact]
    public void PeerMaySpeakForItsOwnPrefixesOnly()
    {
        using var link = new EspLink();
        TestUser client = link.Users.Connect(User);
        link.Users.Connect("10.8.0.11");
        link.Network.Tun.Incoming.Enqueue(InnerPackets.Udp("10.8.0.11", User));
        link.Network.Tun.Incoming.Enqueue(InnerPackets.Udp("203.0.113.5", User));
        link.Exchange();
        client.Receive();
        Assert.Empty(client.Frames);
        // The first is stopped where it comes in, since the address belongs behind the tunnel; the second where it comes out.
        Assert.Equal(1ul, link.Network.Counters.Dropped(DropReason.SourceAddress));
        Assert.Equal(1ul, link.Users.Counters.Dropped(DropReason.SourceAddress));
    }

    [Fact]
    public void PacketBeyondTheTunnelsMtu_IsAnsweredWithThatMtu()
    {
        using var link = new EspLink();
        TestUser client = link.Users.Connect(User, mtu: 1400);
        client.SendPacket(InnerPackets.Udp(User, Host, EspLink.Mtu + 1));
        link.Exchange();
        client.Receive();
        byte[] error = Assert.Single(client.Packets);
        Assert.Equal((3, 4, EspLink.Mtu >> 8, EspLink.Mtu & 255), (error[20], error[21], error[26], error[27]));
    }

    [Fact]
    public void UsedUpReservation_StopsTheSa_UntilMoreIsReserved()
    {
        using var link = new EspLink(sequenceLimit: 5);
        TestUser client = link.Users.Connect(User);
        for (int i = 0; i < 8; i++)
            client.SendPacket(InnerPackets.Udp(User, Host));
        link.Exchange();
        Assert.Equal(5, link.Network.Tun.Outgoing.Count);
        Assert.Equal(3ul, link.Users.Counters.Dropped(DropReason.EspRefused));
        Assert.Equal(3ul, link.Users.Worker.EspSealDrops[EspDropReason.SequenceLimitReached]);
        link.Users.Post(new LcoreMessage { Kind = LcoreMessageKind.SequenceLimit, Slot = 0, Value = 100 });
        client.SendPacket(InnerPackets.Udp(User, Host));
        link.Exchange();
        Assert.Equal(6, link.Network.Tun.Outgoing.Count);
        Assert.Contains(link.Users.Events, report => report.Kind == LcoreEventKind.SequenceLimitRaised);
    }

    [Fact]
    public void FullSocket_CountsWhatItDidNotTake()
    {
        using var link = new EspLink();
        TestUser client = link.Users.Connect(User);
        link.UsersPort.Room = 2;
        for (int i = 0; i < 5; i++)
            client.SendPacket(InnerPackets.Udp(User, Host));
        link.Exchange();
        Assert.Equal(3ul, link.Users.Counters.Dropped(DropReason.EspFull));
        link.Users.AssertNothingHeld();
    }

    [Fact]
    public void PacketOfAnotherLcoresSa_IsHandedOverAndOpenedThere()
    {
        using var link = new EspLink();
        TestPort? port = null;
        using var other = new WorkerBed(1, ports: pool => new LcorePorts { Esp = [new EspPort(port = new TestPort(pool), -1, EspIngress.UdpPayload)] });
        using var rings = new TwoLcoresTests.Rings(link.Network, other);
        TestUser client = link.Users.Connect(User);
        client.SendPacket(InnerPackets.Udp(User, Host));
        link.Users.Poll();
        // The kernel gave it to lcore 1, whose port this is; the SPI says lcore 0.
        port!.Incoming.Enqueue(link.UsersPort.Outgoing[0]);
        other.Poll();
        link.Network.Poll();
        Assert.Single(link.Network.Tun.Outgoing);
        Assert.Equal((1ul, 1ul), (other.Counters.HandedOver, link.Network.Counters.TakenOver));
    }

    /// <summary>Two beds whose ESP ports lead to each other.</summary>
    internal sealed class EspLink : IDisposable
    {
        public const int Mtu = 1300;
        private const uint SpiOfNetwork = 0x0100_0001, SpiOfUsers = 0x0100_0002;

        public EspLink(ulong sequenceLimit = ulong.MaxValue, LcoreSupplies? users = null, LcoreSupplies? network = null, TrafficConfig? traffic = null)
        {
            TestPort? tun = null, usersPort = null, networkPort = null;
            Users = new WorkerBed(config: Config("10.20.0.0/16", "10.8.0.0/24", null) with { Traffic = traffic }, supplies: users, ports: pool => new LcorePorts
            {
                Esp = [new EspPort(usersPort = new TestPort(pool), -1, EspIngress.UdpPayload)],
            });
            Network = new WorkerBed(config: Config("10.8.0.0/24", null, "10.20.0.0/16"), supplies: network, ports: pool => new LcorePorts
            {
                Tun = new WatchedPort(tun = new TestPort(pool), -1),
                Esp = [new EspPort(networkPort = new TestPort(pool), -1, EspIngress.UdpPayload)],
            });
            Network.Tun = tun!;
            (UsersPort, NetworkPort) = (usersPort!, networkPort!);
            byte[] there = [.. Enumerable.Range(1, 20).Select(i => (byte)i)], back = [.. Enumerable.Range(101, 20).Select(i => (byte)i)];
            Install(Users, SpiOfUsers, back, SpiOfNetwork, there, sequenceLimit);
            Install(Network, SpiOfNetwork, there, SpiOfUsers, back, ulong.MaxValue);
        }

        public WorkerBed Users { get; }

        public WorkerBed Network { get; }

        public TestPort UsersPort { get; }

        public TestPort NetworkPort { get; }

        /// <summary>Polls both sides and carries what they send, until nothing moves.</summary>
        public void Exchange()
        {
            do
            {
                Users.Poll();
                Carry(UsersPort, NetworkPort);
                Network.Poll();
                Carry(NetworkPort, UsersPort);
            }
            while (UsersPort.Incoming.Count + NetworkPort.Incoming.Count > 0);
        }

        public void Dispose()
        {
            Users.Dispose();
            Network.Dispose();
        }

        private static void Carry(TestPort from, TestPort to)
        {
            from.Outgoing.ForEach(to.Incoming.Enqueue);
            from.Outgoing.Clear();
        }

        private static BrokerConfig Config(string remote, string? pool, string? tun) => new()
        {
            Pools = pool == null ? [] : [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse(pool) }],
            Tun = tun == null ? null : new TunConfig { Routes = [IPNetwork.Parse(tun)] },
            Esp = new EspConfig
            {
                StateFile = "none",
                Tunnels =
                [
                    new EspTunnelConfig
                    {
                        Name = "dc", Mode = EspMode.Udp, Local = IPEndPoint.Parse("127.0.0.1:4500"), Remote = IPEndPoint.Parse("127.0.0.2:4500"),
                        RemotePrefixes = [IPNetwork.Parse(remote)], Mtu = Mtu,
                        Pairs = [new EspSaPairConfig { Lcore = 0, Inbound = Sa(256), Outbound = Sa(257) }],
                    },
                ],
            },
        };

        private static EspSaConfig Sa(uint spi) => new() { Spi = spi, Key = new EspKey(new byte[16], new byte[4]) };

        private static void Install(WorkerBed bed, uint inboundSpi, byte[] inboundKey, uint outboundSpi, byte[] outboundKey, ulong limit)
        {
            EspPair* pair = bed.Pairs[0];
            pair->Inbound = InboundSa.Create(
                new InboundSaParameters { Spi = inboundSpi, Algorithm = AeadAlgorithm.Aes128Gcm, ExtendedSequenceNumbers = true }, inboundKey);
            pair->Outbound = OutboundSa.Create(
                new OutboundSaParameters { Spi = outboundSpi, Algorithm = AeadAlgorithm.Aes128Gcm, ExtendedSequenceNumbers = true, SequenceLimit = limit }, outboundKey);
            pair->Remote = PacketEndpoint.From(IPEndPoint.Parse("127.0.0.1:4500"));
            bed.Context.Sad.Add(pair->Outbound);
            Assert.Equal(SadStatus.Added, bed.Context.Sad.Add(pair->Inbound));
        }
    }
}
