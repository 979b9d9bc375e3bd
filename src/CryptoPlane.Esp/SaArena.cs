using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp;

/// <summary>
/// The memory of one lcore's security associations and their keys: a fixed number of each, side by side in huge pages where there are
/// any. With SAs and keys all over the heap every packet of 100,000 tunnels misses the TLB several times.
/// </summary>
/// <remarks>
/// <para>Made and disposed of on a control thread. One control thread at a time makes SAs in it; they come back, zeroed, from whatever
/// thread frees them, which is the lcore once a <see cref="Sad"/> has taken them. The arena must outlive its SAs and their keys.</para>
/// <para>On a machine with several NUMA nodes the thread that makes the arena should run on the lcore's node.</para>
/// </remarks>
public sealed unsafe class SaArena : IDisposable
{
    private readonly SlotArena _inbound, _outbound;

    /// <summary>
    /// Reserves the memory: 640 bytes per outbound SA, as many per inbound one with the default window, and 1,152 per key.
    /// </summary>
    /// <param name="inbound">Most inbound SAs.</param>
    /// <param name="outbound">Most outbound SAs.</param>
    /// <param name="maxReplayWindow">Largest anti-replay window of an inbound SA, in packets.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not positive, or there is no such window.</exception>
    /// <exception cref="OutOfMemoryException">There is not so much memory.</exception>
    public SaArena(int inbound, int outbound, int maxReplayWindow = 1024, IPacketMemory? memory = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(inbound);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(outbound);
        int inboundSize = InboundSa.BlockSize(AntiReplayWindow.RingWords(maxReplayWindow));
        MaxReplayWindow = maxReplayWindow;
        _inbound = new SlotArena(inbound, inboundSize, memory);
        try
        {
            _outbound = new SlotArena(outbound, OutboundSa.BlockSize, memory);
            Keys = new AeadKeyArena(checked(inbound + outbound), memory);
        }
        catch
        {
            _inbound.Dispose();
            _outbound?.Dispose();
            throw;
        }
    }

    /// <summary>Most inbound SAs.</summary>
    public int InboundCapacity => _inbound.Capacity;

    /// <summary>Most outbound SAs.</summary>
    public int OutboundCapacity => _outbound.Capacity;

    /// <summary>Largest anti-replay window that fits, in packets.</summary>
    public int MaxReplayWindow { get; }

    /// <summary>Inbound SAs that have not been freed.</summary>
    public int InboundInUse => _inbound.InUse;

    /// <summary>Outbound SAs that have not been freed.</summary>
    public int OutboundInUse => _outbound.InUse;

    /// <summary>The keys of both.</summary>
    internal AeadKeyArena Keys { get; }

    /// <summary>Frees the memory.</summary>
    /// <exception cref="InvalidOperationException">There are SAs or keys in it.</exception>
    public void Dispose()
    {
        _inbound.Dispose();
        _outbound.Dispose();
        Keys.Dispose();
    }

    /// <summary>Takes a zeroed block for an inbound SA.</summary>
    /// <exception cref="ArgumentException">The window is larger than the arena's blocks allow.</exception>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    internal byte* TakeInbound(int replayWindow, out SlotArena.State* home)
    {
        if (replayWindow > MaxReplayWindow)
            throw new ArgumentException($"The arena was made for anti-replay windows of up to {MaxReplayWindow} packets, not {replayWindow}.");
        return Take(_inbound, "inbound", out home);
    }

    /// <summary>Takes a zeroed block for an outbound SA.</summary>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    internal byte* TakeOutbound(out SlotArena.State* home) => Take(_outbound, "outbound", out home);

    private static byte* Take(SlotArena slots, string kind, out SlotArena.State* home)
    {
        void* block = slots.Take();
        if (block == null)
            throw new InvalidOperationException($"The arena has room for {slots.Capacity} {kind} SAs, and as many are in use: make it larger.");
        home = slots.Handle;
        return (byte*)block;
    }
}
