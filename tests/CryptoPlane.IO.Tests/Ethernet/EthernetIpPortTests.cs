using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;

namespace CryptoPlane.IO.Tests.Ethernet;

public sealed unsafe class EthernetIpPortTests
{
    private static readonly PhysicalAddress s_leftMac = PhysicalAddress.Parse("02-00-00-00-00-01"), s_rightMac = PhysicalAddress.Parse("02-00-00-00-00-02");

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", 24)]
    [InlineData("fd00::1", "fd00::2", 64)]
    public void Two_ports_find_one_another_and_packets_that_waited_arrive(string left, string right, int prefix)
    {
        using var pool = new PacketPool(256, 2048, 128);
        var wire = new FrameWire(pool, pool);
        using var leftPort = new EthernetIpPort(wire.Left, Options(s_leftMac, left, prefix), pool);
        using var rightPort = new EthernetIpPort(wire.Right, Options(s_rightMac, right, prefix), pool);
        long now = 1_000_000_000;
        leftPort.Tick(now);
        rightPort.Tick(now);

        byte[] first = EspPacket(left, right, 100), second = EspPacket(left, right, 1400);
        Send(leftPort, pool, first);
        Send(leftPort, pool, second);
        Assert.Single(wire.Left.Outgoing);
        Assert.Equal(2, leftPort.ReadCounters().Waited);

        Assert.Empty(Receive(rightPort, pool));
        Assert.Empty(Receive(leftPort, pool));
        List<byte[]> received = Receive(rightPort, pool);
        Assert.Equal([first, second], received);
        // The one that was asked knows who asked.
        Send(rightPort, pool, EspPacket(right, left, 60));
        Assert.Single(Receive(leftPort, pool));
        Assert.Equal(2, leftPort.ReadCounters().TransmittedPackets);
        Assert.Equal(first.Length + second.Length, leftPort.ReadCounters().TransmittedBytes);
        Assert.Equal(1, leftPort.NeighbourCount);
        Assert.Equal(pool.Count, pool.Available);
    }

    [Fact]
    public void A_neighbour_that_does_not_answer_is_asked_three_times_and_then_given_up_for_a_second()
    {
        using var pool = new PacketPool(64, 2048, 128);
        var wire = new FrameWire(pool, pool);
        using var port = new EthernetIpPort(wire.Left, Options(s_leftMac, "10.0.0.1", 24), pool);
        const long second = 1_000_000_000;
        long now = 5 * second;
        port.Tick(now);
        Send(port, pool, EspPacket("10.0.0.1", "10.0.0.9", 60));
        for (int i = 0; i < 3; i++)
            port.Tick(now += second);
        Assert.Equal(3, wire.Left.Outgoing.Count);
        Assert.Equal(1, port.ReadCounters()[EthernetDrop.Unresolved]);
        Send(port, pool, EspPacket("10.0.0.1", "10.0.0.9", 60));
        Assert.Equal(2, port.ReadCounters()[EthernetDrop.Unresolved]);
        port.Tick(now += second);
        Assert.Equal(0, port.NeighbourCount);
        Send(port, pool, EspPacket("10.0.0.1", "10.0.0.9", 60));
        Assert.Equal(4, wire.Left.Outgoing.Count);
    }

    private static EthernetIpOptions Options(PhysicalAddress mac, string address, int prefix) =>
        new() { Mac = mac, Addresses = [(IPAddress.Parse(address), prefix)] };

    private static byte[] EspPacket(string from, string to, int payload)
    {
        IPAddress source = IPAddress.Parse(from), destination = IPAddress.Parse(to);
        byte[] a = source.GetAddressBytes(), b = destination.GetAddressBytes();
        byte[] packet;
        if (a.Length == 4)
        {
            packet = new byte[20 + payload];
            packet[0] = 0x45;
            packet[2] = (byte)(packet.Length >> 8);
            packet[3] = (byte)packet.Length;
            packet[8] = 64;
            packet[9] = 50;
            a.CopyTo(packet, 12);
            b.CopyTo(packet, 16);
            uint sum = 0;
            for (int i = 0; i < 20; i += 2)
                sum += (uint)((packet[i] << 8) | packet[i + 1]);
            sum = (sum & 0xFFFF) + (sum >> 16);
            sum = ~((sum & 0xFFFF) + (sum >> 16));
            packet[10] = (byte)(sum >> 8);
            packet[11] = (byte)sum;
        }
        else
        {
            packet = new byte[40 + payload];
            packet[0] = 0x60;
            packet[4] = (byte)(payload >> 8);
            packet[5] = (byte)payload;
            packet[6] = 50;
            packet[7] = 64;
            a.CopyTo(packet, 8);
            b.CopyTo(packet, 24);
        }
        new Random(payload).NextBytes(packet.AsSpan(packet.Length - payload));
        return packet;
    }

    private static void Send(EthernetIpPort port, PacketPool pool, byte[] packet)
    {
        Assert.True(pool.TryRent(out PacketBuffer* buffer));
        Assert.True(buffer->TrySetLength(packet.Length));
        packet.CopyTo(buffer->Span);
        Assert.Equal(1, port.Transmit(&buffer, 1));
    }

    private static List<byte[]> Receive(EthernetIpPort port, PacketPool pool)
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[32];
        int count = port.Receive(burst, 32);
        var packets = new List<byte[]>();
        for (int i = 0; i < count; i++)
        {
            packets.Add(burst[i]->Span.ToArray());
            pool.Return(burst[i]);
        }
        return packets;
    }
}
