using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CryptoPlane.IO.Offload;

/// <summary>
/// The Internet checksum (RFC 1071) in the CPU's byte order: sums and fields are read and written natively, which RFC 1071 §2(B) shows
/// to be equivalent.
/// </summary>
public static unsafe class InternetChecksum
{
    /// <summary>Sums 16-bit words; an odd last byte counts as if a zero followed. The sum begins at an even byte of the packet.</summary>
    /// <param name="data">First byte.</param>
    /// <param name="length">Bytes; at most 2^20, so that no lane overflows.</param>
    /// <returns>A sum that <see cref="Fold"/> makes 16 bits of; sums may be added before folding.</returns>
    public static ulong Sum(byte* data, int length)
    {
        ulong sum = 0;
        if (Vector256.IsHardwareAccelerated && length >= 128)
        {
            // A 64-bit lane is high * 2^32 + low. Adding whole lanes wraps, but with the sum of the highs known, that of the lows is
            // what remains modulo 2^64: three instructions for 32 bytes.
            // Sound: every load lies within data[0..length).
            Vector256<ulong> lanes = Vector256<ulong>.Zero, highs = Vector256<ulong>.Zero;
            Vector256<ulong> moreLanes = Vector256<ulong>.Zero, moreHighs = Vector256<ulong>.Zero;
            do
            {
                Vector256<ulong> first = Vector256.Load((ulong*)data);
                Vector256<ulong> second = Vector256.Load((ulong*)(data + 32));
                Vector256<ulong> third = Vector256.Load((ulong*)(data + 64));
                Vector256<ulong> fourth = Vector256.Load((ulong*)(data + 96));
                lanes += first;
                moreLanes += second;
                highs += first >>> 32;
                moreHighs += second >>> 32;
                lanes += third;
                moreLanes += fourth;
                highs += third >>> 32;
                moreHighs += fourth >>> 32;
                data += 128;
                length -= 128;
            }
            while (length >= 128);
            highs += moreHighs;
            lanes += moreLanes;
            sum = Vector256.Sum(lanes - (highs << 32) + highs);
        }
        while (length >= 8)
        {
            ulong word = Unsafe.ReadUnaligned<ulong>(data);
            sum += (uint)word + (word >> 32);
            data += 8;
            length -= 8;
        }
        if (length >= 4)
        {
            sum += Unsafe.ReadUnaligned<uint>(data);
            data += 4;
            length -= 4;
        }
        if (length >= 2)
        {
            sum += Unsafe.ReadUnaligned<ushort>(data);
            data += 2;
            length -= 2;
        }
        if (length > 0)
            sum += BitConverter.IsLittleEndian ? *data : (uint)*data << 8;
        return sum;
    }

    /// <summary>Folds a sum to 16 bits with end-around carries.</summary>
    public static ushort Fold(ulong sum)
    {
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF_FFFF) + (sum >> 32);
        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)((sum & 0xFFFF) + (sum >> 16));
    }

    /// <summary>The value of a checksum field for a sum over everything it covers (the field itself counted as 0).</summary>
    public static ushort Complement(ulong sum) => (ushort)~Fold(sum);

    /// <summary>The sum of an IPv4 pseudo-header (RFC 9293 §3.1, RFC 768).</summary>
    /// <param name="header">The IPv4 header.</param>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="length">Bytes of the transport header and payload.</param>
    public static ulong PseudoHeaderIPv4(byte* header, byte protocol, int length) =>
        Sum(header + 12, 8) + Word(protocol) + Word((ushort)length);

    /// <summary>The sum of an IPv6 pseudo-header (RFC 8200 §8.1) of a packet without a routing header.</summary>
    /// <param name="header">The IPv6 header.</param>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="length">Bytes of the transport header and payload.</param>
    public static ulong PseudoHeaderIPv6(byte* header, byte protocol, int length) =>
        Sum(header + 8, 32) + Word(protocol) + Word((ushort)length);

    /// <summary>A 16-bit number as it counts in a sum: in network order.</summary>
    public static ulong Word(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;
}
