using System.Buffers.Binary;

namespace CryptoPlane.Traffic;

/// <summary>Explicit congestion notification in an IP header (RFC 3168 §5).</summary>
public static unsafe class EcnMark
{
    private const int IPv4Header = 20;
    private const int IPv6Header = 40;
    private const byte Mask = 0b11;
    private const byte CongestionExperienced = 0b11;

    /// <summary>Sets congestion experienced in a packet whose sender understands it.</summary>
    /// <param name="packet">The first byte of the IP header.</param>
    /// <param name="length">Bytes of the packet.</param>
    /// <returns>False, with nothing changed, when the packet is no ECN-capable transport's (or no whole IP header): it must be dropped instead.</returns>
    // Sound: no byte is read or written behind a length that was not compared with the header's first.
    public static bool TryMark(byte* packet, int length)
    {
        if (length >= IPv4Header && packet[0] >> 4 == 4)
        {
            int field = packet[1] & Mask;
            if (field is 0 or CongestionExperienced)
                return field != 0;
            int before = BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(packet, 2));
            packet[1] |= CongestionExperienced;
            // RFC 1624 §3, equation 3.
            int sum = (ushort)~BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(packet + 10, 2)) + (ushort)~before + (before | CongestionExperienced);
            sum = (sum & 0xFFFF) + (sum >> 16);
            sum = (sum & 0xFFFF) + (sum >> 16);
            BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(packet + 10, 2), (ushort)~sum);
            return true;
        }
        if (length < IPv6Header || packet[0] >> 4 != 6)
            return false;
        // The traffic class lies across the first two bytes; ECN are its last two bits (RFC 8200 §7).
        int trafficClass = (packet[1] >> 4) & Mask;
        if (trafficClass == 0)
            return false;
        packet[1] |= CongestionExperienced << 4;
        return true;
    }
}
