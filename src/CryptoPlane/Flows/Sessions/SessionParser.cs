using System.Runtime.CompilerServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>
/// Reads from an IP packet which session it is of. Nothing beyond the packet is read, and what cannot be read gives a key without
/// ports, so that no rule about ports takes it.
/// </summary>
public static unsafe class SessionParser
{
    /// <summary>Extension headers of an IPv6 packet that are followed at most; a chain of more is not read to its end.</summary>
    public const int MaximumExtensionHeaders = 8;

    private const int IPv4Header = 20, IPv6Header = 40, TcpHeader = 20;
    private const byte Icmp = 1, Tcp = 6, Udp = 17, Dccp = 33, IcmpV6 = 58, Sctp = 132, UdpLite = 136;
    private const byte HopByHop = 0, Routing = 43, Fragment = 44, Authentication = 51, DestinationOptions = 60, Mobility = 135, Hip = 139, Shim6 = 140;

    /// <summary>Reads a packet.</summary>
    /// <param name="data">The packet's first byte.</param>
    /// <param name="length">Bytes that are there.</param>
    /// <param name="key">The session, with true.</param>
    /// <param name="packet">What else was seen, with true.</param>
    /// <returns>False when it is no IP packet, or its lengths are wrong.</returns>
    // Sound: every read is behind a check that `length`, or the packet's own length, which is no larger, covers it.
    public static bool TryParse(byte* data, int length, out SessionKey key, out SessionPacket packet)
    {
        packet = default;
        // Most packets, in fewer steps: IPv4 without options, no fragment, TCP or UDP with its whole header.
        if (length >= IPv4Header + 8 && data[0] == 0x45 && (NetworkBytes.Read16(data + 6) & 0x3FFF) == 0 && data[9] is Udp or Tcp)
        {
            int whole = NetworkBytes.Read16(data + 2);
            byte* upper = data + IPv4Header;
            if (whole <= length && whole >= IPv4Header && IsReadable(upper, whole - IPv4Header, data[9], isQuote: false))
            {
                packet.Dscp = (byte)(data[1] >> 2);
                packet.UpperOffset = IPv4Header;
                packet.UpperLength = (ushort)(whole - IPv4Header);
                if (data[9] == Tcp)
                {
                    packet.TcpFlags = upper[13];
                    packet.Flags = SessionPacketFlags.Tcp;
                }
                key = SessionKey.OfIPv4(
                    NetworkBytes.Read32(data + 12), NetworkBytes.Read32(data + 16), NetworkBytes.Read16(upper), NetworkBytes.Read16(upper + 2), data[9],
                    out bool isFromUpper);
                if (isFromUpper)
                    packet.Flags |= SessionPacketFlags.FromUpper;
                return true;
            }
        }
        return TryParseAny(data, length, out key, out packet);
    }

    private static bool TryParseAny(byte* data, int length, out SessionKey key, out SessionPacket packet)
    {
        packet = default;
        key = default;
        if (length < IPv4Header)
            return false;
        switch (data[0] >> 4)
        {
            case 4:
                int header = (data[0] & 0x0F) * 4;
                int total = NetworkBytes.Read16(data + 2);
                if (header < IPv4Header || total < header || total > length)
                    return false;
                packet.Dscp = (byte)(data[1] >> 2);
                packet.UpperOffset = (ushort)header;
                packet.UpperLength = (ushort)(total - header);
                int fragment = NetworkBytes.Read16(data + 6) & 0x3FFF;
                if (fragment != 0)
                {
                    packet.FragmentId = NetworkBytes.Read16(data + 4);
                    NoteFragment(ref packet, (fragment & 0x1FFF) * 8, data[9]);
                }
                ReadUpper(data + header, SourceIPv4(data), DestinationIPv4(data), data[9], Icmp, isQuote: false, ref packet, out key);
                return true;
            case 6:
                if (length < IPv6Header || NetworkBytes.Read16(data + 4) > length - IPv6Header)
                    return false;
                packet.Dscp = (byte)((NetworkBytes.Read16(data) >> 6) & 0x3F);
                byte protocol = Follow(data, IPv6Header + NetworkBytes.Read16(data + 4), ref packet);
                ReadUpper(data + packet.UpperOffset, SourceIPv6(data), DestinationIPv6(data), protocol, IcmpV6, isQuote: false, ref packet, out key);
                return true;
            default:
                return false;
        }
    }

    /// <summary>Reads which session the packet is of that an ICMP error quotes.</summary>
    /// <param name="data">The error's first byte; it was read by <see cref="TryParse"/>.</param>
    /// <param name="error">What that said.</param>
    /// <param name="key">The quoted packet's session, with true.</param>
    /// <param name="isFromUpper">Whether the error goes the way that packets of that session's upper end go, with true.</param>
    /// <returns>
    /// False when the quotation is too short, is of a fragment behind the first, or is not of a packet that the error's receiver can have sent.
    /// </returns>
    // Sound: the quotation's bytes are the error's last UpperLength - 8, and nothing behind them is read. They are whatever the sender says.
    public static bool TryParseQuoted(byte* data, in SessionPacket error, out SessionKey key, out bool isFromUpper)
    {
        key = default;
        isFromUpper = false;
        byte* quoted = data + error.UpperOffset + 8;
        int length = error.UpperLength - 8;
        var packet = default(SessionPacket);
        if (length < IPv4Header || quoted[0] >> 4 != data[0] >> 4)
            return false;
        SessionAddress source;
        if (quoted[0] >> 4 == 4)
        {
            int header = (quoted[0] & 0x0F) * 4;
            // RFC 792: the header and 8 bytes; fragments behind the first have no ports there.
            if (header < IPv4Header || length < header + 8 || (NetworkBytes.Read16(quoted + 6) & 0x1FFF) != 0)
                return false;
            packet.UpperLength = (ushort)(length - header);
            source = SourceIPv4(quoted);
            if (source != DestinationIPv4(data))
                return false;
            ReadUpper(quoted + header, source, DestinationIPv4(quoted), quoted[9], Icmp, isQuote: true, ref packet, out key);
        }
        else
        {
            if (length < IPv6Header)
                return false;
            byte protocol = Follow(quoted, length, ref packet);
            source = SourceIPv6(quoted);
            if ((packet.Flags & SessionPacketFlags.LaterFragment) != 0 || source != DestinationIPv6(data))
                return false;
            ReadUpper(quoted + packet.UpperOffset, source, DestinationIPv6(quoted), protocol, IcmpV6, isQuote: true, ref packet, out key);
        }
        // An error about an error is none (RFC 1122 §3.2.2), and an unreadable header names no session.
        isFromUpper = !packet.IsFromUpper;
        return key.Kind is SessionKeyKind.Ports or SessionKeyKind.Query or SessionKeyKind.Portless;
    }

    private static SessionAddress SourceIPv4(byte* data) => SessionAddress.FromIPv4(NetworkBytes.Read32(data + 12));

    private static SessionAddress DestinationIPv4(byte* data) => SessionAddress.FromIPv4(NetworkBytes.Read32(data + 16));

    private static SessionAddress SourceIPv6(byte* data) => new(NetworkBytes.Read64(data + 8), NetworkBytes.Read64(data + 16));

    private static SessionAddress DestinationIPv6(byte* data) => new(NetworkBytes.Read64(data + 24), NetworkBytes.Read64(data + 32));

    private static void NoteFragment(ref SessionPacket packet, int offset, byte protocol)
    {
        packet.Flags |= offset == 0 ? SessionPacketFlags.FirstFragment : SessionPacketFlags.LaterFragment;
        // RFC 3128: at offset 8 lie the flags of the TCP header that the first fragment has shown. 65,535 bytes are all that a packet can have.
        if ((offset == 8 && protocol == Tcp) || offset + packet.UpperLength > ushort.MaxValue)
            packet.Flags |= SessionPacketFlags.UnsafeFragment;
    }

    /// <summary>Follows the extension headers (RFC 8200 §4) as far as the packet and the bound go.</summary>
    /// <returns>The upper protocol, or the extension header where it ended.</returns>
    private static byte Follow(byte* data, int total, ref SessionPacket packet)
    {
        int at = IPv6Header;
        byte next = data[6];
        bool isFragment = false;
        for (int headers = 0; IsExtension(next) && headers < MaximumExtensionHeaders && total - at >= 8; headers++)
        {
            byte* header = data + at;
            if (next == Fragment)
            {
                // RFC 8200 §4.5: one fragment header at most; in a second one the chain ends here.
                if (isFragment)
                    break;
                isFragment = true;
                int offset = NetworkBytes.Read16(header + 2);
                packet.UpperLength = (ushort)(total - at - 8);
                next = header[0];
                at += 8;
                // RFC 6946: an atomic fragment (offset 0, none follows) is a whole packet.
                if ((offset & 0xFFF9) == 0)
                    continue;
                packet.FragmentId = NetworkBytes.Read32(header + 4);
                NoteFragment(ref packet, offset & 0xFFF8, next);
                if ((offset & 0xFFF8) != 0)
                    break;
                continue;
            }
            // RFC 4302 §2.2: AH counts in 4 bytes, less 2; the others in 8, less 1.
            int size = next == Authentication ? (header[1] + 2) * 4 : (header[1] + 1) * 8;
            if (size > total - at)
                break;
            next = header[0];
            at += size;
        }
        packet.UpperOffset = (ushort)at;
        packet.UpperLength = (ushort)(total - at);
        return next;
    }

    internal static bool IsExtension(byte protocol) =>
        protocol is HopByHop or Routing or Fragment or Authentication or DestinationOptions or Mobility or Hip or Shim6;

    /// <param name="upper">The upper header.</param>
    /// <param name="source">The packet's source.</param>
    /// <param name="destination">The packet's destination.</param>
    /// <param name="protocol">The upper protocol.</param>
    /// <param name="icmp">Which protocol is this family's ICMP.</param>
    /// <param name="isQuote">Whether it is the packet that an ICMP error quotes, of which little is there.</param>
    /// <param name="packet">What was seen so far, with the bytes that are there.</param>
    /// <param name="key">The session.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ReadUpper(
        byte* upper, SessionAddress source, SessionAddress destination, byte protocol, byte icmp, bool isQuote, ref SessionPacket packet, out SessionKey key)
    {
        SessionKeyKind kind = SessionKeyKind.Portless;
        ushort sourcePort = 0, destinationPort = 0;
        byte query = 0;
        int available = packet.UpperLength;
        if ((packet.Flags & SessionPacketFlags.LaterFragment) != 0)
        {
            kind = SessionKeyKind.Fragments;
        }
        else if (protocol == Tcp || HasPorts(protocol))
        {
            if (IsReadable(upper, available, protocol, isQuote))
            {
                kind = SessionKeyKind.Ports;
                sourcePort = NetworkBytes.Read16(upper);
                destinationPort = NetworkBytes.Read16(upper + 2);
                if (protocol == Tcp && !isQuote)
                {
                    packet.TcpFlags = upper[13];
                    packet.Flags |= SessionPacketFlags.Tcp;
                }
            }
            else
            {
                kind = SessionKeyKind.Unreadable;
            }
        }
        else if (protocol == icmp)
        {
            kind = ReadIcmp(upper, available, icmp, ref packet, ref sourcePort, ref query);
            destinationPort = sourcePort;
        }
        else if (IsExtension(protocol))
        {
            kind = SessionKeyKind.Unreadable;
        }
        // RFC 1858 §3, RFC 7112 §5: a first fragment has all headers, or what is behind it decides what they mean.
        if (kind == SessionKeyKind.Unreadable && (packet.Flags & SessionPacketFlags.FirstFragment) != 0)
            packet.Flags |= SessionPacketFlags.UnsafeFragment;
        key = SessionKey.Of(source, destination, sourcePort, destinationPort, protocol, kind, query, out bool isFromUpper);
        if (isFromUpper)
            packet.Flags |= SessionPacketFlags.FromUpper;
    }

    private static bool HasPorts(byte protocol) => protocol is Udp or Sctp or Dccp or UdpLite;

    /// <summary>Whether the header is there as far as its ports can be trusted; of a quotation 8 bytes are all that senders owe.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsReadable(byte* upper, int available, byte protocol, bool isQuote)
    {
        if (isQuote || protocol is Udp or UdpLite)
            return available >= 8;
        if (protocol != Tcp)
            return available >= 12;
        // RFC 9293 §3.1: the data offset counts in 4 bytes, 5 at least.
        return available >= TcpHeader && upper[12] >> 4 >= TcpHeader / 4;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static SessionKeyKind ReadIcmp(byte* upper, int available, byte icmp, ref SessionPacket packet, ref ushort port, ref byte query)
    {
        if (available < 8)
            return SessionKeyKind.Unreadable;
        (byte type, byte code) = (upper[0], upper[1]);
        packet.IcmpType = type;
        packet.IcmpCode = code;
        // RFC 792: a reply's type is its request's less 8, or more 1. RFC 4443 §4: echo is 128, its reply 129.
        query = icmp == Icmp
            ? type switch { 0 or 8 => (byte)8, 13 or 14 => (byte)13, 15 or 16 => (byte)15, 17 or 18 => (byte)17, _ => (byte)0 }
            : type is 128 or 129 ? (byte)128 : (byte)0;
        if (query != 0)
        {
            port = NetworkBytes.Read16(upper + 4);
            return SessionKeyKind.Query;
        }
        port = (ushort)((type << 8) | code);
        bool isError = icmp == Icmp ? type is 3 or 4 or 5 or 11 or 12 : type < 128;
        if (isError && (packet.Flags & SessionPacketFlags.FirstFragment) == 0)
            packet.Flags |= SessionPacketFlags.IcmpError;
        return SessionKeyKind.Message;
    }
}
