using CryptoPlane.Buffers;

namespace CryptoPlane.Ports;

/// <summary>
/// Where packets enter and leave an lcore, in bursts: a TUN queue, a UDP or raw socket, a DPDK queue.
/// </summary>
/// <remarks>An instance belongs to one lcore. Neither method blocks, throws on the peer's account or allocates managed memory.</remarks>
public unsafe interface IPacketPort
{
    /// <summary>Receives what is there, each packet in a buffer of the lcore's pool, which the caller then holds.</summary>
    /// <returns>How many; 0 when nothing is there or the pool is empty (counted by the port).</returns>
    int Receive(PacketBuffer** burst, int capacity);

    /// <summary>Sends a burst.</summary>
    /// <returns>
    /// How many were taken, from the front: the port has returned their buffers to the pool. The rest still belong to the caller,
    /// who drops or retries them.
    /// </returns>
    int Transmit(PacketBuffer** burst, int count);
}
