using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Datagram;

/// <summary>Datagrams of DTLS by the kernel's programs: handshakes to the control socket, the rest to lcores.</summary>
public sealed class DtlsSteeringTests
{
    private const int Lcores = 3, PerPort = 4;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Handshakes_go_to_the_control_socket_and_a_clients_data_to_one_lcore(string address)
    {
        using var group = new Group(address);
        LcoreSteering.AttachDtlsToGroup(group.Ports[0].FileDescriptor, Lcores, group.IpVersion);
        for (int client = 0; client < 6; client++)
        {
            using UdpPort sender = group.NewSender();
            Assert.Equal([0, 0, 0, PerPort], group.Deliver(sender, epoch: 0));
            // By the sender's port, always the same.
            int[] expected = new int[Lcores + 1];
            expected[sender.LocalEndPoint.Port % Lcores] = PerPort;
            Assert.Equal(expected, group.Deliver(sender, epoch: 1));
            Assert.Equal(expected, group.Deliver(sender, epoch: 1));
        }
        using UdpPort stranger = group.NewSender();
        Assert.Equal([1, 0, 0, 0], group.DeliverBytes(stranger, [23, 0xFE]));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Known_peers_reach_the_lcore_that_has_them(string address)
    {
        Requirement.Root();
        using PeerSteering? steering = PeerSteering.TryCreate(peers: 4);
        Requirement.That(steering != null, "the kernel takes no eBPF programs from this process: it needs CAP_BPF");
        using var group = new Group(address);
        Assert.True(steering!.TryAttachDtlsToGroup(group.Ports[0].FileDescriptor, Lcores, group.IpVersion));
        using UdpPort first = group.NewSender(), second = group.NewSender(), third = group.NewSender();
        Assert.True(steering.TrySet(PacketEndpoint.From(first.LocalEndPoint), 2));
        Assert.True(steering.TrySet(PacketEndpoint.From(second.LocalEndPoint), 1));
        Assert.Equal([0, 0, PerPort, 0], group.Deliver(first, epoch: 1));
        Assert.Equal([0, PerPort, 0, 0], group.Deliver(second, epoch: 1));
        Assert.Equal([PerPort, 0, 0, 0], group.Deliver(third, epoch: 1));
        Assert.Equal([0, 0, 0, PerPort], group.Deliver(first, epoch: 0));
        Assert.True(steering.TrySet(PacketEndpoint.From(first.LocalEndPoint), 1));
        steering.Remove(PacketEndpoint.From(second.LocalEndPoint));
        Assert.Equal([0, PerPort, 0, 0], group.Deliver(first, epoch: 1));
        Assert.Equal([PerPort, 0, 0, 0], group.Deliver(second, epoch: 1));
        Assert.Equal([1, 0, 0, 0], group.DeliverBytes(first, [23, 0xFE]));
        for (int i = 0; i < 3; i++)
            Assert.True(steering.TrySet(PacketEndpoint.From(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 1000 + i)), 0));
        Assert.False(steering.TrySet(PacketEndpoint.From(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 2000)), 0));
    }

    /// <summary>Sockets of three lcores and a control socket on one port of the loopback interface.</summary>
    private sealed class Group : IDisposable
    {
        private readonly PacketPool _pool = new(64, 2048);
        private readonly IPEndPoint _local;

        public Group(string address)
        {
            _local = new IPEndPoint(IPAddress.Parse(address), 0);
            for (int i = 0; i <= Lcores; i++)
            {
                Ports.Add(new UdpPort(new UdpPortOptions { Local = _local }, _pool));
                _local = Ports[0].LocalEndPoint;
            }
        }

        public List<UdpPort> Ports { get; } = [];

        public int IpVersion => _local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 6;

        public UdpPort NewSender() => new(new UdpPortOptions { Local = new IPEndPoint(_local.Address, 0), ReusePort = false }, _pool);

        /// <summary>Sends records of an epoch, of several lengths.</summary>
        /// <returns>How many reached each socket.</returns>
        public int[] Deliver(UdpPort sender, byte epoch) =>
            Send(sender, [.. Enumerable.Range(0, PerPort).Select(i => (byte[])[23, 0xFE, 0xFD, 0, epoch, .. new byte[60 + (7 * i)]])]);

        public int[] DeliverBytes(UdpPort sender, byte[] datagram) => Send(sender, [datagram]);

        public void Dispose()
        {
            Ports.ForEach(port => port.Dispose());
            _pool.Dispose();
        }

        private int[] Send(UdpPort sender, byte[][] datagrams)
        {
            PortHarness.Send(sender, [.. datagrams.Select(bytes => PortHarness.Packet(_pool, PacketEndpoint.From(_local), bytes))]);
            int[] counts = new int[Ports.Count];
            Eventually.True(() =>
            {
                for (int i = 0; i < Ports.Count; i++)
                {
                    var received = new List<(byte[], PacketEndpoint)>();
                    PortHarness.Drain(Ports[i], _pool, received);
                    counts[i] += received.Count;
                }
                return counts.Sum() == datagrams.Length;
            }, "all datagrams");
            return counts;
        }
    }
}
