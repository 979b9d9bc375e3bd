namespace CryptoPlane.Buffers;

/// <summary>
/// Where a pool's blocks come from when another framework carves them, and keeps a header of its own before each (a DPDK mempool, whose
/// mbufs are the foreign headers): its drivers then fill and send the very buffers of the pool.
/// </summary>
/// <remarks>Called on control threads, when pools are made and disposed of.</remarks>
public unsafe interface IPacketBlocks
{
    /// <summary>
    /// Makes as many blocks as the stack has room for, and pushes each block's <see cref="PacketBuffer"/>, which lies
    /// <see cref="PacketBuffer.ForeignHeaderSize"/> bytes behind the block's beginning, 64-aligned. The pool initialises these headers.
    /// </summary>
    /// <param name="free">Empty, and stays where it is until <see cref="Free"/>.</param>
    /// <param name="bufferSize">Bytes behind the <see cref="PacketBuffer"/> of every block.</param>
    /// <returns>The framework's handle of the pool.</returns>
    /// <exception cref="OutOfMemoryException">There is no such memory; the message says how to get it.</exception>
    nint Carve(PacketStack* free, int bufferSize);

    /// <summary>Zeroes and gives back what <see cref="Carve"/> made.</summary>
    void Free(nint pool);
}
