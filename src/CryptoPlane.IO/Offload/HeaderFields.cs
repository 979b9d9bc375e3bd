using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace CryptoPlane.IO.Offload;

/// <summary>Offsets and unaligned accessors of IP, TCP and UDP header fields.</summary>
internal static unsafe class HeaderFields
{
    public const int IPv4HeaderSize = 20, IPv6HeaderSize = 40, TcpHeaderSize = 20, UdpHeaderSize = 8;
    public const byte ProtocolTcp = 6, ProtocolUdp = 17;
    public const int IPv4TotalLength = 2, IPv4Identification = 4, IPv4Fragment = 6, IPv4Protocol = 9, IPv4Checksum = 10;
    public const int IPv6PayloadLength = 4, IPv6NextHeader = 6;
    public const int TcpSequence = 4, TcpAcknowledgement = 8, TcpDataOffset = 12, TcpFlags = 13, TcpWindow = 14, TcpChecksum = 16;
    public const int UdpLength = 4, UdpChecksum = 6;
    public const byte Fin = 1, Push = 8, Acknowledge = 0x10, CongestionWindowReduced = 0x80;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Read16(byte* field) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(field));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read32(byte* field) => BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(field));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write16(byte* field, ushort value) => Unsafe.WriteUnaligned(field, BinaryPrimitives.ReverseEndianness(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write32(byte* field, uint value) => Unsafe.WriteUnaligned(field, BinaryPrimitives.ReverseEndianness(value));

    /// <summary>Computes an IPv4 header's checksum and stores it.</summary>
    public static void WriteIPv4Checksum(byte* header, int headerLength)
    {
        Unsafe.WriteUnaligned(header + IPv4Checksum, (ushort)0);
        Unsafe.WriteUnaligned(header + IPv4Checksum, InternetChecksum.Complement(InternetChecksum.Sum(header, headerLength)));
    }
}
