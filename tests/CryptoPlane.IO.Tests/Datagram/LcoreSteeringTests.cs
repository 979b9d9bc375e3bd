using System.Buffers.Binary;
using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Datagram;

public sealed class LcoreSteeringTests
{
    private const int Lcores = 3;

    /// <summary>The first four bytes of a packet and the lcore that must get it.</summary>
    public static TheoryData<uint, int> Spis => new()
    {
        { 0x0100_0000, 0 },
        { 0x0112_3456, 0 },
        { 0x0200_0001, 1 },
        { 0x03FF_FFFF, 2 },
        { 0x0000_0000, 0 }, // the non-ESP marker, or an SPI that is never sent
        { 0x0000_0100, 0 }, // foreign
        { 0x0400_0000, 0 }, // an lcore that we do not have
        { 0xFF00_0000, 0 },
    };

    [Theory]
    [MemberData(nameof(Spis))]
    public void Udp_datagrams_reach_the_lcore_that_their_spi_names(uint spi, int lcore)
    {
        using var pool = new PacketPool(64, 2048);
        var local = new IPEndPoint(IPAddress.Loopback, FreePort.Udp());
        UdpPort[] ports = [.. Enumerable.Range(0, Lcores).Select(_ => new UdpPort(new UdpPortOptions { Local = local }, pool))];
        try
        {
            LcoreSteering.AttachToGroup(ports[0].FileDescriptor, Lcores);
            using var sender = new UdpPort(new UdpPortOptions { Local = new IPEndPoint(IPAddress.Loopback, 0), ReusePort = false }, pool);
            // Lengths that differ, so that nothing is put together on the way.
            PortHarness.Send(sender, [.. Enumerable.Range(0, 5).Select(i => PortHarness.Packet(pool, PacketEndpoint.From(local), Packet(spi, 64 + (4 * i))))]);
            Assert.Equal(5, PortHarness.Receive(ports[lcore], pool, 5).Count);
            AssertOthersGotNothing(ports, lcore, pool);
        }
        finally
        {
            foreach (UdpPort port in ports)
                port.Dispose();
        }
    }

    [Theory]
    [MemberData(nameof(Spis))]
    public void A_control_socket_behind_the_lcores_gets_what_begins_with_zero_and_nothing_else(uint spi, int lcore)
    {
        using var pool = new PacketPool(64, 2048);
        var local = new IPEndPoint(IPAddress.Loopback, FreePort.Udp());
        UdpPort[] ports = [.. Enumerable.Range(0, Lcores + 1).Select(_ => new UdpPort(new UdpPortOptions { Local = local }, pool))];
        try
        {
            LcoreSteering.AttachToGroup(ports[0].FileDescriptor, Lcores, controlSocket: true);
            using var sender = new UdpPort(new UdpPortOptions { Local = new IPEndPoint(IPAddress.Loopback, 0), ReusePort = false }, pool);
            PortHarness.Send(sender, [.. Enumerable.Range(0, 5).Select(i => PortHarness.Packet(pool, PacketEndpoint.From(local), Packet(spi, 64 + (4 * i))))]);
            int expected = spi >> 24 == 0 ? Lcores : lcore;
            Assert.Equal(5, PortHarness.Receive(ports[expected], pool, 5).Count);
            AssertOthersGotNothing(ports, expected, pool);
        }
        finally
        {
            foreach (UdpPort port in ports)
                port.Dispose();
        }
    }

    [Fact]
    public void A_keepalive_of_one_byte_and_an_empty_datagram_reach_lcore_0()
    {
        using var pool = new PacketPool(64, 2048);
        var local = new IPEndPoint(IPAddress.Loopback, FreePort.Udp());
        using var first = new UdpPort(new UdpPortOptions { Local = local }, pool);
        using var second = new UdpPort(new UdpPortOptions { Local = local }, pool);
        LcoreSteering.AttachToGroup(first.FileDescriptor, 2);
        using var sender = new UdpPort(new UdpPortOptions { Local = new IPEndPoint(IPAddress.Loopback, 0), ReusePort = false }, pool);
        PortHarness.Send(sender, PortHarness.Packet(pool, PacketEndpoint.From(local), [0xFF]), PortHarness.Packet(pool, PacketEndpoint.From(local), []));
        Assert.Equal([1, 0], PortHarness.Receive(first, pool, 2).Select(datagram => datagram.Payload.Length));
        AssertOthersGotNothing([first, second], 0, pool);
    }

    [Theory]
    [MemberData(nameof(Spis))]
    public void Raw_esp_packets_reach_the_lcore_that_their_spi_names(uint spi, int lcore)
    {
        Requirement.Root();
        foreach (string address in new[] { "127.0.0.1", "::1" })
        {
            using var pool = new PacketPool(512, 2048);
            IPAddress local = IPAddress.Parse(address);
            RawEspPort[] ports = [.. Enumerable.Range(0, Lcores).Select(i => new RawEspPort(local, i, Lcores, pool))];
            try
            {
                byte[] payload = Packet(spi, 96);
                PacketEndpoint peer = PacketEndpoint.From(new IPEndPoint(local, 0));
                PortHarness.Send(ports[2], PortHarness.Packet(pool, peer, payload), PortHarness.Packet(pool, peer, payload));
                var received = PortHarness.Receive(ports[lcore], pool, 2);
                Assert.Equal(2, received.Count);
                // An IPv4 raw socket gives the outer header as well.
                int header = local.GetAddressBytes().Length == 4 ? (received[0].Payload[0] & 15) * 4 : 0;
                Assert.Equal(payload, received[0].Payload[header..]);
                Assert.Equal(local, received[0].Peer.ToIPEndPoint().Address);
                AssertOthersGotNothing(ports, lcore, pool);
                Assert.Equal(512, pool.Available);
            }
            finally
            {
                foreach (RawEspPort port in ports)
                    port.Dispose();
            }
        }
    }

    [Fact]
    public void More_lcores_than_a_byte_can_name_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => LcoreSteering.AttachToGroup(0, 256));
        Assert.Throws<ArgumentOutOfRangeException>(() => LcoreSteering.AttachToRawSocket(0, 2, 2, 4));
    }

    private static byte[] Packet(uint spi, int length)
    {
        byte[] packet = new byte[length];
        BinaryPrimitives.WriteUInt32BigEndian(packet, spi);
        return packet;
    }

    private static void AssertOthersGotNothing(IPacketPort[] ports, int lcore, PacketPool pool)
    {
        var stray = new List<(byte[], PacketEndpoint)>();
        for (int i = 0; i < ports.Length; i++)
        {
            if (i != lcore)
                PortHarness.Drain(ports[i], pool, stray);
        }
        Assert.Empty(stray);
    }
}
