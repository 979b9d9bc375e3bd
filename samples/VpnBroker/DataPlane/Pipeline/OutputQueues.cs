using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>Packets of this turn on their way to ESP tunnels and to the TUN port. (Users' queues are in their tunnels.)</summary>
internal sealed unsafe class OutputQueues : IDisposable
{
    /// <summary>Packets that each queue takes in a turn.</summary>
    public const int Capacity = 2048;

    public OutputQueues()
    {
        Esp = (PacketBuffer**)NativeMemory.Alloc(Capacity, (nuint)sizeof(PacketBuffer*));
        Tun = (PacketBuffer**)NativeMemory.Alloc(Capacity, (nuint)sizeof(PacketBuffer*));
    }

    /// <summary>Inner packets to be sealed; each one's meta names its tunnel.</summary>
    public PacketBuffer** Esp { get; private set; }

    public int EspCount { get; private set; }

    /// <summary>Inner packets for the kernel.</summary>
    public PacketBuffer** Tun { get; private set; }

    public int TunCount { get; private set; }

    // Sound, both: an index below the capacity is written.
    public bool TryAddEsp(PacketBuffer* packet)
    {
        if (EspCount == Capacity)
            return false;
        Esp[EspCount++] = packet;
        return true;
    }

    public bool TryAddTun(PacketBuffer* packet)
    {
        if (TunCount == Capacity)
            return false;
        Tun[TunCount++] = packet;
        return true;
    }

    public void ClearEsp() => EspCount = 0;

    public void ClearTun() => TunCount = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(Esp);
        NativeMemory.Free(Tun);
        Esp = Tun = null;
    }
}
