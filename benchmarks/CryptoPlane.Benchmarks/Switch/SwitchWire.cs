using CryptoPlane.Buffers;
using CryptoPlane.Ports;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>Where the broker's lcore takes ESP packets from and gives them to; the other end is the benchmark's.</summary>
internal interface ISwitchWire : IDisposable
{
    /// <summary>What this is, for the table.</summary>
    string Name { get; }

    /// <summary>Most packets on their way.</summary>
    int Capacity { get; }

    /// <summary>The lcore's port of whole IP packets.</summary>
    IPacketPort Port { get; }

    /// <summary>Puts packets on the wire to the lcore.</summary>
    unsafe void Offer(PacketBuffer** packets, int count);

    /// <summary>Takes what the lcore sent: whole IP packets.</summary>
    unsafe int Collect(PacketBuffer** packets, int capacity);
}

/// <summary>A wire that is an array: packets are handed over as they are, so that it costs next to nothing.</summary>
internal sealed unsafe class MemoryWire(int capacity, int burst) : ISwitchWire, IPacketPort
{
    private readonly nint[] _toLcore = new nint[capacity], _fromLcore = new nint[capacity];
    private int _next, _end, _sent;

    public string Name => "memory";

    public int Capacity => capacity;

    public IPacketPort Port => this;

    public void Offer(PacketBuffer** packets, int count)
    {
        _next = 0;
        _end = count;
        for (int i = 0; i < count; i++)
            _toLcore[i] = (nint)packets[i];
    }

    public int Collect(PacketBuffer** packets, int room)
    {
        int count = Math.Min(_sent, room);
        for (int i = 0; i < count; i++)
            packets[i] = (PacketBuffer*)_fromLcore[i];
        _sent = 0;
        return count;
    }

    public int Receive(PacketBuffer** packets, int room)
    {
        int count = Math.Min(Math.Min(room, burst), _end - _next);
        for (int i = 0; i < count; i++)
            packets[i] = (PacketBuffer*)_toLcore[_next + i];
        _next += count;
        return count;
    }

    public int Transmit(PacketBuffer** packets, int count)
    {
        int taken = Math.Min(count, capacity - _sent);
        for (int i = 0; i < taken; i++)
            _fromLcore[_sent + i] = (nint)packets[i];
        _sent += taken;
        return taken;
    }

    public void Dispose()
    {
    }
}
