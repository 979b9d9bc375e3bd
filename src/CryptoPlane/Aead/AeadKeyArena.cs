using CryptoPlane.Buffers;

namespace CryptoPlane.Aead;

/// <summary>
/// Room for the keys of one lcore, side by side in huge pages where there are any: the keys of 100,000 tunnels, each in a block of its
/// own from the heap, would miss the TLB with every packet.
/// </summary>
/// <remarks>
/// One control thread at a time makes keys here, by <see cref="AeadKey.CreateDetached(AeadAlgorithm, ReadOnlySpan{byte}, AeadKeyArena)"/>.
/// A key that is retired goes back to the arena, zeroed, from whatever thread its engine is on. The arena must outlive its keys.
/// </remarks>
public sealed unsafe class AeadKeyArena : IDisposable
{
    private readonly SlotArena _slots;

    /// <summary>Reserves the memory: 1,152 bytes per key.</summary>
    /// <param name="capacity">Most keys.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    public AeadKeyArena(int capacity, IPacketMemory? memory = null) =>
        _slots = new SlotArena(capacity, AeadKeyBlock.SizeInBytes, memory);

    /// <summary>Most keys.</summary>
    public int Capacity => _slots.Capacity;

    /// <summary>Keys that have not been freed.</summary>
    public int InUse => _slots.InUse;

    /// <summary>Frees the memory.</summary>
    /// <exception cref="InvalidOperationException">There are keys in it.</exception>
    public void Dispose() => _slots.Dispose();

    /// <summary>Takes a zeroed block that knows where it came from.</summary>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    internal AeadKeyBlock* Take()
    {
        var block = (AeadKeyBlock*)_slots.Take();
        if (block == null)
            throw new InvalidOperationException($"The arena has room for {Capacity} keys, and as many are in use: make it larger.");
        block->Arena = _slots.Handle;
        return block;
    }
}
