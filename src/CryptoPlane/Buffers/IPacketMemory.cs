namespace CryptoPlane.Buffers;

/// <summary>
/// Where packet memory comes from: the kernel (<see cref="KernelPacketMemory"/>), or a provider that makes memory known to a
/// device (DPDK's heap, registered external memory).
/// </summary>
/// <remarks>Called on control threads, when pools are made and disposed of; never on the data path.</remarks>
public unsafe interface IPacketMemory
{
    /// <summary>Reserves zeroed memory that does not move.</summary>
    /// <param name="bytes">Size wanted; the provider may round it up.</param>
    /// <param name="alignment">A power of two up to 4096.</param>
    /// <returns>The first byte.</returns>
    /// <exception cref="OutOfMemoryException">There is no such memory; the message says how to get it.</exception>
    byte* Allocate(nuint bytes, nuint alignment);

    /// <summary>Gives back what <see cref="Allocate"/> returned, with the same size. The memory is zeroed first: packets are users' data.</summary>
    void Free(byte* memory, nuint bytes);
}
