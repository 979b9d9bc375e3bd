using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>Numbers of headers, which are big-endian and anyhow aligned.</summary>
// Sound, all of them: callers have checked that the packet covers what is read.
internal static unsafe class NetworkBytes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Read16(byte* at) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(at)) : Unsafe.ReadUnaligned<ushort>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read32(byte* at) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(at)) : Unsafe.ReadUnaligned<uint>(at);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read64(byte* at) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(at)) : Unsafe.ReadUnaligned<ulong>(at);
}
