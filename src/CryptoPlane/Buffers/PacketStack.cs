using System.Runtime.InteropServices;

namespace CryptoPlane.Buffers;

/// <summary>
/// The free buffers of a <see cref="PacketPool"/>, in native memory, so that another framework's driver takes and returns buffers
/// there itself, between bursts and on the same lcore (native/dpdk: cpd_packet_stack).
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
public unsafe struct PacketStack
{
    /// <summary>Room for <see cref="Capacity"/> buffers, of which the first <see cref="Count"/> are free.</summary>
    public PacketBuffer** Items;

    /// <summary>Buffers that nobody holds.</summary>
    public uint Count;

    /// <summary>Buffers of the pool.</summary>
    public uint Capacity;
}
