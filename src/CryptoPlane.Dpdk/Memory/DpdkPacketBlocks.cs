using CryptoPlane.Buffers;
using CryptoPlane.Dpdk.Interop;

namespace CryptoPlane.Dpdk;

/// <summary>
/// Blocks of packet pools that are mbufs: what an <see cref="EthPort"/> receives into and sends, without a copy, and what crypto devices
/// reach.
/// </summary>
/// <remarks>
/// The pool's free list is the driver's as well, and no lock guards it: a pool belongs to one lcore, and to the queues of that lcore.
/// Dispose of ports before their pools.
/// </remarks>
public sealed unsafe class DpdkPacketBlocks : IPacketBlocks
{
    private readonly int _socket;

    /// <param name="socket">The NUMA node that the memory is on; null for any.</param>
    /// <exception cref="InvalidOperationException">The EAL is not initialised.</exception>
    public DpdkPacketBlocks(int? socket = null)
    {
        Eal.ThrowIfNotInitialized();
        _socket = socket ?? -1;
    }

    /// <inheritdoc/>
    public nint Carve(PacketStack* free, int bufferSize)
    {
        ArgumentNullException.ThrowIfNull(free);
        nint pool;
        int error = NativeDpdk.PoolCreate(free, (uint)bufferSize, _socket, &pool);
        const int einval = 22;
        return error switch
        {
            0 => pool,
            -einval => throw new ArgumentOutOfRangeException(nameof(bufferSize), bufferSize, "A buffer that DPDK fills has 129 to 65,535 bytes."),
            _ => throw new OutOfMemoryException(
                $"The EAL has no memory for {free->Capacity} packets of {bufferSize} bytes{(_socket < 0 ? "" : $" on NUMA node {_socket}")} (error {-error}): raise EalOptions.MemoryMegabytes."),
        };
    }

    /// <inheritdoc/>
    public void Free(nint pool) => NativeDpdk.PoolFree(pool);
}
