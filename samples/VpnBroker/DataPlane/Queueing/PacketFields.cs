namespace VpnBroker.DataPlane.Queueing;

/// <summary>
/// What classes ask of a packet behind its IP header. Of what cannot be read (later fragments, IPv6 extension headers, a header that is cut
/// off) there are no ports, so that no rule about ports takes it.
/// </summary>
internal unsafe struct PacketFields
{
    private const byte Tcp = 6, Udp = 17, Sctp = 132;
    private const int IPv4Header = 20, IPv6Header = 40, Ports = 4;

    public byte Protocol;
    public bool HasPorts;
    public ushort SourcePort;
    public ushort DestinationPort;

    /// <summary>Reads a packet.</summary>
    // Sound: each field is read only after `length` was found to cover it.
    public static PacketFields Read(byte* packet, int length)
    {
        PacketFields fields = default;
        int offset;
        if (length >= IPv4Header && packet[0] >> 4 == 4)
        {
            offset = (packet[0] & 0x0F) * 4;
            fields.Protocol = packet[9];
            // RFC 791 §3.1: a fragment offset other than 0 has no transport header.
            if (offset < IPv4Header || (NetworkOrder.From(*(ushort*)(packet + 6)) & 0x1FFF) != 0)
                return fields;
        }
        else if (length >= IPv6Header && packet[0] >> 4 == 6)
        {
            offset = IPv6Header;
            fields.Protocol = packet[6];
        }
        else
        {
            return fields;
        }
        if (fields.Protocol is not (Tcp or Udp or Sctp) || length < offset + Ports)
            return fields;
        fields.HasPorts = true;
        fields.SourcePort = NetworkOrder.From(*(ushort*)(packet + offset));
        fields.DestinationPort = NetworkOrder.From(*(ushort*)(packet + offset + 2));
        return fields;
    }
}
