using System.Net;
using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Ethernet;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>An <see cref="EthernetIpPort"/> whose link, and kernel if it has one, the test holds the other end of.</summary>
internal sealed unsafe class Station : IDisposable
{
    public const string Mac = "02-00-00-00-00-01", PeerMac = "02-00-00-00-00-02", IPv4 = "10.0.0.1", IPv6 = "fd00::1";
    public const long Second = 1_000_000_000;

    private const int Burst = 64;

    private static readonly EthernetDrop[] s_received = [
        EthernetDrop.Truncated, EthernetDrop.OtherStation, EthernetDrop.Checksum, EthernetDrop.Malformed, EthernetDrop.OwnSource,
        EthernetDrop.Tagged, EthernetDrop.NotForUs, EthernetDrop.ExceptionFull];

    private static readonly EthernetDrop[] s_sent = [
        EthernetDrop.NoIpPacket, EthernetDrop.NoHeadroom, EthernetDrop.TooLong, EthernetDrop.NoRoute, EthernetDrop.Unresolved,
        EthernetDrop.NeighbourQueueFull, EthernetDrop.NeighbourTableFull, EthernetDrop.PortFull];

    private long _offered;

    public Station(EthernetRole role = EthernetRole.Outside, bool kernel = false, int neighbours = 1024, string[]? gateways = null, int buffers = 256)
    {
        Pool = new PacketPool(buffers, 2048, 128);
        Link = new FrameWire(Pool, Pool).Left;
        Kernel = kernel ? new FrameWire(Pool, Pool).Left : null;
        var options = new EthernetIpOptions
        {
            Mac = PhysicalAddress.Parse(Mac),
            Addresses = [(IPAddress.Parse(IPv4), 16), (IPAddress.Parse(IPv6), 64)],
            Gateways = [.. (gateways ?? []).Select(IPAddress.Parse)],
            Role = role,
            Neighbours = neighbours,
        };
        Port = new EthernetIpPort(Link, options, Pool, Kernel);
        Tick(Second);
    }

    public PacketPool Pool { get; }

    public FrameWire.End Link { get; }

    public FrameWire.End? Kernel { get; }

    public EthernetIpPort Port { get; }

    public long Now { get; private set; }

    public EthernetCounters Counters => Port.ReadCounters();

    public void Tick(long after) => Port.Tick(Now += after);

    /// <summary>Lets frames come, and gives what the lcore got.</summary>
    public List<byte[]> Hear(params ReadOnlySpan<byte[]> frames)
    {
        foreach (byte[] frame in frames)
            Link.Incoming.Enqueue(frame);
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        var packets = new List<byte[]>();
        while (Link.Incoming.Count > 0)
        {
            int count = Port.Receive(burst, Burst);
            for (int i = 0; i < count; i++)
                packets.Add(burst[i]->Span.ToArray());
            Pool.Return(burst, count);
        }
        return packets;
    }

    /// <summary>Lets the lcore send a packet, and gives the frames that were sent.</summary>
    public List<byte[]> Send(byte[] packet)
    {
        Assert.True(Pool.TryRent(out PacketBuffer* buffer));
        Assert.True(buffer->TrySetLength(packet.Length));
        packet.CopyTo(buffer->Span);
        Assert.Equal(1, Port.Transmit(&buffer, 1));
        _offered++;
        return Sent();
    }

    /// <summary>An ESP packet of ours to an address.</summary>
    public List<byte[]> SendTo(string address) => Send(address.Contains(':')
        ? FrameForge.IPv6(IPv6, address, FrameForge.Esp, FrameForge.EspPacket(20))
        : FrameForge.IPv4(IPv4, address, FrameForge.Esp, FrameForge.EspPacket(20)));

    /// <summary>The frames that were sent since the last call.</summary>
    public List<byte[]> Sent() => Take(Link.Outgoing);

    /// <summary>The frames that the kernel got since the last call.</summary>
    public List<byte[]> ToKernel() => Kernel == null ? [] : Take(Kernel.Outgoing);

    /// <summary>The Ethernet address to which a packet to an IP address goes now, or null where it does not go at once.</summary>
    public string? Reaches(string address) => SendTo(address) switch
    {
        [.., byte[] frame] when frame[23 - (frame[12] == 0x86 ? 3 : 0)] == FrameForge.Esp => BitConverter.ToString(frame, 0, 6),
        _ => null,
    };

    /// <summary>
    /// Received frames = delivered + to the kernel + answered + dropped; packets to send = sent + dropped + waiting, and only those have buffers.
    /// </summary>
    public void AssertEveryFrameIsAccountedFor()
    {
        EthernetCounters counters = Counters;
        long dropped = s_received.Sum(reason => counters[reason]);
        Assert.Equal(counters.ReceivedFrames, counters.ReceivedPackets + counters.ToException + counters.Answered + dropped);
        long refused = s_sent.Sum(reason => counters[reason]);
        Assert.Equal(_offered, counters.TransmittedPackets + refused + Pool.Count - Pool.Available);
    }

    public void Dispose()
    {
        Port.Dispose();
        Assert.Equal(Pool.Count, Pool.Available);
        Pool.Dispose();
    }

    private static List<byte[]> Take(Queue<byte[]> frames)
    {
        List<byte[]> taken = [.. frames];
        frames.Clear();
        return taken;
    }
}
