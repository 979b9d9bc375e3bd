using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>
/// State of an application's own beside each flow of a <see cref="FlowTable{TKey, TState}"/>, under the flow's index: zeroed when a flow
/// is added, and freed with the table.
/// </summary>
/// <remarks>Thread ownership: the table's thread. Pointers stay valid for the flow's life.</remarks>
public abstract unsafe class FlowExtension
{
    private protected FlowExtension(int maximum, int stride, IPacketMemory memory) => Slabs = new SlabArray(maximum, stride, memory);

    private protected SlabArray Slabs { get; }

    /// <summary>Bytes of memory taken.</summary>
    public long MemoryBytes => Slabs.Bytes;

    internal int Capacity => Slabs.Capacity;

    internal void Reserve(int capacity) => Slabs.Reserve(capacity);

    internal bool TryGrow() => Slabs.TryGrow();

    internal bool Provision() => Slabs.Provision();

    /// <summary>A flow was added.</summary>
    internal void Clear(int index) => Unsafe.InitBlockUnaligned(Slabs.At(index), 0, (uint)Slabs.Stride);

    internal void Free() => Slabs.Dispose();
}

/// <inheritdoc/>
/// <typeparam name="T">The state of a flow.</typeparam>
public sealed unsafe class FlowExtension<T> : FlowExtension
    where T : unmanaged
{
    internal FlowExtension(int maximum, IPacketMemory memory)
        : base(maximum, sizeof(T), memory)
    {
    }

    /// <summary>The state of a flow that is in the table.</summary>
    public T* this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (T*)Slabs.At(index);
    }
}
