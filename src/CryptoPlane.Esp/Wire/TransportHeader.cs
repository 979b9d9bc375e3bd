namespace CryptoPlane.Esp.Wire;

/// <summary>IP headers that stay with a packet in transport mode (RFC 4303 §3.1.1).</summary>
internal static unsafe class TransportHeader
{
    /// <summary>Longest header that is moved, with IPv6's extension headers.</summary>
    public const int MaxLength = 256;

    private const ushort FragmentBits = 0x3FFF;

    /// <summary>
    /// Finds where ESP goes in a measured packet: behind an IPv4 header, or behind those extension headers of IPv6 that nodes on the way
    /// look at (hop-by-hop options, routing, and destination options before it).
    /// </summary>
    /// <param name="packet">The packet.</param>
    /// <param name="length">Its length.</param>
    /// <param name="header">Takes the bytes before ESP.</param>
    /// <param name="protocol">Takes what is protected.</param>
    /// <returns>False for a fragment, which cannot be protected in transport mode (§3.3.4), and for a header that is broken or too long.</returns>
    public static bool TryFindPayload(byte* packet, int length, out int header, out byte protocol)
    {
        if (packet[0] >> 4 == 4)
        {
            header = (packet[0] & 0x0F) * 4;
            protocol = packet[9];
            return (NetworkOrder.From(*(ushort*)(packet + 6)) & FragmentBits) == 0;
        }
        header = EspOverhead.IPv6;
        protocol = packet[6];
        while (protocol == IpProtocol.HopByHopOptions || protocol == IpProtocol.IPv6Routing
            || (protocol == IpProtocol.DestinationOptions && length - header >= 8 && packet[header] == IpProtocol.IPv6Routing))
        {
            if (length - header < 8 || 8 * (packet[header + 1] + 1) > length - header)
                return false;
            protocol = packet[header];
            header += 8 * (packet[header + 1] + 1);
            if (header > MaxLength)
                return false;
        }
        return protocol != IpProtocol.IPv6Fragment;
    }

    /// <summary>The length of a sound header in which <see cref="Ingress"/> has found ESP.</summary>
    /// <param name="packet">Where it begins.</param>
    /// <param name="esp">Bytes from there to ESP.</param>
    public static int LengthBefore(byte* packet, int esp)
    {
        if (packet[0] >> 4 == 4)
            return (packet[0] & 0x0F) * 4;
        int header = EspOverhead.IPv6;
        byte next = packet[6];
        // Sound: the same walk has led to ESP before, within the packet; nothing has been written there since.
        while (header < esp && IpProtocol.IsSkippedExtension(next))
        {
            int size = next == IpProtocol.IPv6Fragment ? 8 : 8 * (packet[header + 1] + 1);
            next = packet[header];
            header += size;
        }
        return header;
    }

    /// <summary>Makes a header right for another payload: lengths, protocol, checksum.</summary>
    /// <param name="packet">The header.</param>
    /// <param name="header">Its length.</param>
    /// <param name="total">Length of the packet.</param>
    /// <param name="protocol">What follows the header.</param>
    public static void Mend(byte* packet, int header, int total, byte protocol)
    {
        if (packet[0] >> 4 == 4)
        {
            *(ushort*)(packet + 2) = NetworkOrder.From((ushort)total);
            packet[9] = protocol;
            *(ushort*)(packet + 10) = 0;
            *(ushort*)(packet + 10) = InternetChecksum.Finish(InternetChecksum.Add(0, packet, header));
            return;
        }
        *(ushort*)(packet + 4) = NetworkOrder.From((ushort)(total - EspOverhead.IPv6));
        byte* next = packet + 6;
        for (int offset = EspOverhead.IPv6; offset < header;)
        {
            int size = *next == IpProtocol.IPv6Fragment ? 8 : 8 * (packet[offset + 1] + 1);
            next = packet + offset;
            offset += size;
        }
        *next = protocol;
    }
}
