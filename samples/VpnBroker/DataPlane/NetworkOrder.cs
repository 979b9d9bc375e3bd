using System.Buffers.Binary;

namespace VpnBroker.DataPlane;

/// <summary>Numbers between the host's byte order and the wire's; each conversion is its own inverse.</summary>
internal static class NetworkOrder
{
    public static ushort From(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    public static uint From(uint value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    public static ulong From(ulong value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>Between the host's order and little-endian.</summary>
    public static uint LittleEndian(uint value) => BitConverter.IsLittleEndian ? value : BinaryPrimitives.ReverseEndianness(value);
}
