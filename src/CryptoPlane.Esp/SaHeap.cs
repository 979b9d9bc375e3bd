using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;

namespace CryptoPlane.Esp;

/// <summary>The blocks that SAs lie in, from the heap or back to where they came from; and what must be true of their layout.</summary>
internal static unsafe class SaHeap
{
    private const nuint Alignment = 128;

    static SaHeap()
    {
        if (Unsafe.SizeOf<AntiReplayWindow>() != AntiReplayWindow.SizeInBytes
            || Unsafe.SizeOf<InboundSa>() != InboundSa.SizeInBytes || Unsafe.SizeOf<InboundSaCold>() != InboundSaCold.SizeInBytes
            || Unsafe.SizeOf<OutboundSa>() != OutboundSa.SizeInBytes || Unsafe.SizeOf<OutboundSaCold>() != OutboundSaCold.SizeInBytes)
        {
            throw new InvalidOperationException("What a packet touches of an SA must fill the cache lines that it was laid out for.");
        }
    }

    /// <summary>A zeroed block.</summary>
    public static void* Allocate(int bytes)
    {
        void* block = NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
        NativeMemory.Clear(block, (nuint)bytes);
        return block;
    }

    /// <summary>Zeroes a block and gives it back.</summary>
    /// <param name="block">The block.</param>
    /// <param name="bytes">Its size.</param>
    /// <param name="home">The arena that it came from; null for the heap.</param>
    public static void Free(void* block, int bytes, SlotArena.State* home)
    {
        if (home != null)
        {
            SlotArena.Return(home, block);
            return;
        }
        NativeMemory.Clear(block, (nuint)bytes);
        NativeMemory.AlignedFree(block);
    }

    /// <summary>An SA's key, where its arena has the others.</summary>
    public static AeadKeyHandle CreateKey(AeadAlgorithm algorithm, ReadOnlySpan<byte> key, SaArena? arena) =>
        arena != null ? AeadKey.CreateDetached(algorithm, key, arena.Keys) : AeadKey.CreateDetached(algorithm, key);
}
