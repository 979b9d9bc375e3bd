using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;
using CryptoPlane.Ports;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>Frames of all kinds, good and bad, and everything that the port does of itself, without managed memory and exceptions.</summary>
public sealed unsafe class EthernetSteadyStateTests
{
    private const int Turns = 2000, Burst = 32;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_is_allocated_or_thrown(bool kernel)
    {
        using var pool = new PacketPool(256, 2048, 128);
        var source = new Source(pool, [.. FrameKinds.All.Values, .. FrameKinds.All.Values.Select(frame => frame[..(frame.Length / 2)])]);
        var kernelSource = new Source(pool, [FrameKinds.All["LLDP"]]);
        using var port = new EthernetIpPort(
            source,
            new EthernetIpOptions
            {
                Mac = PhysicalAddress.Parse(Station.Mac),
                Addresses = [(IPAddress.Parse(Station.IPv4), 16), (IPAddress.Parse(Station.IPv6), 64)],
                Gateways = [IPAddress.Parse("10.0.0.254")],
                Neighbours = 64,
            },
            pool, kernel ? kernelSource : null);
        using var other = new EthernetIpPort(
            new Source(pool, []), new EthernetIpOptions { Mac = PhysicalAddress.Parse(Station.PeerMac), Addresses = [(IPAddress.Parse("10.0.0.2"), 16)] }, pool);
        EthernetIpPort.Connect([port, other]);
        byte[][] packets = [
            FrameForge.IPv4(Station.IPv4, "10.0.0.2", FrameForge.Esp, FrameForge.EspPacket(100)),
            FrameForge.IPv6(Station.IPv6, "fd00::2", FrameForge.Esp, FrameForge.EspPacket(100)),
            FrameForge.IPv4(Station.IPv4, "192.0.2.1", FrameForge.Esp, FrameForge.EspPacket(100)),
            FrameForge.IPv4(Station.IPv4, "224.0.0.1", FrameForge.Esp, FrameForge.EspPacket(100)),
        ];
        long now = 1;

        void Run()
        {
            PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
            for (int turn = 0; turn < Turns; turn++)
            {
                port.Tick(now += 50_000_000);
                other.Tick(now);
                pool.Return(burst, port.Receive(burst, Burst));
                if (port.PumpException() != (kernel ? Burst * 2 : 0))
                    return;
                int count = 0;
                foreach (byte[] packet in packets)
                    count += Take(pool, packet, burst + count);
                // Nobody is at most of these addresses: they are asked for, wait, and are given up.
                count += Take(pool, packets[0], burst + count);
                burst[count - 1]->Data[18] = 5;
                burst[count - 1]->Data[19] = (byte)turn;
                port.Transmit(burst, count);
            }
        }

        Run();
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(Run);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        EthernetCounters counters = port.ReadCounters();
        Assert.True(counters.ReceivedFrames >= 2L * Turns * Burst);
        Assert.True(counters.ReceivedPackets > Turns);
        Assert.True(counters.TransmittedPackets > Turns);
        Assert.True(counters.OwnMessages > Turns / 10);
        Assert.True(counters[EthernetDrop.Unresolved] > Turns / 10);
        Assert.True(counters[EthernetDrop.Truncated] > Turns);
        Assert.Equal(kernel, counters.ToException > Turns);
        Assert.Equal(kernel, counters.FromException > Turns);
        Assert.Equal(!kernel, counters.Answered > Turns);
    }

    private static int Take(PacketPool pool, byte[] packet, PacketBuffer** place)
    {
        if (!pool.TryRent(out *place))
            return 0;
        (*place)->TrySetLength(packet.Length);
        packet.CopyTo((*place)->Span);
        return 1;
    }

    /// <summary>Gives the same frames again and again, and takes all that it is given.</summary>
    private sealed class Source(PacketPool pool, byte[][] frames) : IPacketPort
    {
        private int _next;

        public int Receive(PacketBuffer** burst, int capacity)
        {
            int count = 0;
            while (count < capacity && frames.Length > 0 && Take(pool, frames[_next], burst + count) == 1)
            {
                count++;
                _next = _next + 1 < frames.Length ? _next + 1 : 0;
            }
            return count;
        }

        public int Transmit(PacketBuffer** burst, int count)
        {
            pool.Return(burst, count);
            return count;
        }
    }
}
