using System.Buffers.Binary;

namespace CryptoPlane.Esp.Wire;

/// <summary>Numbers between the host's byte order and the network's; the same conversion both ways.</summary>
internal static class NetworkOrder
{
    public static ushort From(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    public static uint From(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    public static ulong From(ulong value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
