using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.Dpdk;

/// <summary>One receive and one transmit queue of an <see cref="EthPort"/>: an lcore's port of whole Ethernet frames.</summary>
/// <remarks>
/// Belongs to the lcore that owns the pool that the port was opened with; the port must live as long. A frame begins with its
/// destination address and has no check sequence. What is sent is in the device's hands until the device returns it to the pool, a few
/// bursts later.
/// </remarks>
public sealed unsafe class EthQueue : IPacketPort
{
    private readonly nint _queue;

    internal EthQueue(int index, PacketPool pool, nint queue)
    {
        Index = index;
        Pool = pool;
        _queue = queue;
    }

    /// <summary>The queue's number in its port.</summary>
    public int Index { get; }

    /// <summary>What the queue receives into.</summary>
    public PacketPool Pool { get; }

    /// <summary>A copy of the counters. Any thread, until the port is disposed of.</summary>
    public EthQueueCounters ReadCounters()
    {
        EthQueueCounters copy = default;
        EthQueueCounters* counters = NativeDpdk.EthQueueRead(_queue);
        for (int i = 0; i < sizeof(EthQueueCounters) / sizeof(ulong); i++)
            ((ulong*)&copy)[i] = Volatile.Read(ref ((ulong*)counters)[i]);
        return copy;
    }

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity) => (int)NativeDpdk.EthReceive(_queue, burst, (uint)capacity);

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">A packet is of a pool that is not made of <see cref="DpdkPacketBlocks"/>; nothing was sent.</exception>
    public int Transmit(PacketBuffer** burst, int count)
    {
        uint taken = NativeDpdk.EthTransmit(_queue, burst, (uint)count);
        if (taken == uint.MaxValue)
            ThrowForeign();
        return (int)taken;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowForeign() => throw new InvalidOperationException(
        "A packet that goes to an Ethernet port must be of a pool that was made with DpdkPacketBlocks.");
}
