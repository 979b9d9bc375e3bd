using CryptoPlane.Buffers;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>Memory on the EAL's heap, which every device reaches: for the packet pools of an lcore whose packets go to a device.</summary>
public sealed unsafe class DpdkPacketMemory : IPacketMemory
{
    private readonly int _socket;

    /// <param name="socket">The NUMA node that the memory is on; null for any.</param>
    /// <exception cref="InvalidOperationException">The EAL is not initialised.</exception>
    public DpdkPacketMemory(int? socket = null)
    {
        Eal.ThrowIfNotInitialized();
        _socket = socket ?? -1;
    }

    /// <inheritdoc/>
    public byte* Allocate(nuint bytes, nuint alignment)
    {
        ArgumentOutOfRangeException.ThrowIfZero(bytes);
        byte* memory = NativeDpdk.MemoryAllocate(bytes, (uint)alignment, _socket);
        return memory != null ? memory : throw new OutOfMemoryException(
            $"The EAL has no {bytes} bytes left{(_socket < 0 ? "" : $" on NUMA node {_socket}")}: raise EalOptions.MemoryMegabytes.");
    }

    /// <inheritdoc/>
    public void Free(byte* memory, nuint bytes) => NativeDpdk.MemoryFree(memory, bytes);
}
