using System.Runtime.CompilerServices;

namespace CryptoPlane.Esp.Wire;

/// <summary>What ESP must know of an IP packet that it carries: its version, its own idea of its length, its traffic class.</summary>
internal static unsafe class InnerPacket
{
    /// <summary>Version 4 and a header of five words.</summary>
    private const byte PlainIPv4 = 0x45;

    /// <summary>
    /// The next header (4 or 41) under which a packet travels, and its length by its own header, which may be less than
    /// <paramref name="available"/>: link padding on the way in, traffic-flow-confidentiality padding on the way out (RFC 4303 §2.7).
    /// </summary>
    /// <returns>False if there is no sound IP header, or it claims more bytes than there are.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryMeasure(byte* packet, int available, out byte nextHeader, out int length)
    {
        // By far the most: IPv4 without options.
        if (available >= EspOverhead.IPv4 && packet[0] == PlainIPv4)
        {
            nextHeader = IpProtocol.IPv4;
            length = NetworkOrder.From(*(ushort*)(packet + 2));
            return length >= EspOverhead.IPv4 && length <= available;
        }
        return TryMeasureOther(packet, available, out nextHeader, out length);
    }

    private static bool TryMeasureOther(byte* packet, int available, out byte nextHeader, out int length)
    {
        nextHeader = 0;
        length = 0;
        if (available < EspOverhead.IPv4)
            return false;
        switch (packet[0] >> 4)
        {
            case 4:
                int header = (packet[0] & 0x0F) * 4;
                nextHeader = IpProtocol.IPv4;
                length = NetworkOrder.From(*(ushort*)(packet + 2));
                return header >= EspOverhead.IPv4 && length >= header && length <= available;
            case 6 when available >= EspOverhead.IPv6:
                nextHeader = IpProtocol.IPv6;
                length = EspOverhead.IPv6 + NetworkOrder.From(*(ushort*)(packet + 4));
                return length <= available;
            default:
                return false;
        }
    }

    /// <summary>The traffic class: six bits of DSCP, then two of ECN. The packet has been measured.</summary>
    public static byte TrafficClass(byte* packet) =>
        packet[0] >> 4 == 4 ? packet[1] : (byte)((packet[0] << 4) | (packet[1] >> 4));

    /// <summary>Replaces the ECN field of a measured packet, and mends an IPv4 header's checksum.</summary>
    public static void SetEcn(byte* packet, byte ecn)
    {
        if (packet[0] >> 4 == 4)
        {
            ushort before = *(ushort*)packet;
            packet[1] = (byte)((packet[1] & ~Ecn.Mask) | ecn);
            *(ushort*)(packet + 10) = InternetChecksum.Update(*(ushort*)(packet + 10), before, *(ushort*)packet);
        }
        else
        {
            // The traffic class lies across the first two bytes; ECN is bits 4 and 5 of the second.
            packet[1] = (byte)((packet[1] & ~(Ecn.Mask << 4)) | (ecn << 4));
        }
    }
}
