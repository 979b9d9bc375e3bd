using System.Runtime.CompilerServices;

namespace CryptoPlane.Esp.Wire;

/// <summary>Finds the ESP packet in what a port received.</summary>
internal static unsafe class Ingress
{
    private const ushort FragmentBits = 0x3FFF;

    /// <summary>Offset and "more fragments" of an IPv6 fragment header.</summary>
    private const ushort FragmentBitsV6 = 0xFFF9;

    /// <summary>Extension headers that an outer packet may have; one with more is given back as not ESP.</summary>
    private const int MaxExtensionHeaders = 8;

    /// <summary>Extension headers are multiples of eight bytes.</summary>
    private const int ExtensionUnit = 8;

    /// <summary>Version 4 and a header of five words.</summary>
    private const byte PlainIPv4 = 0x45;

    /// <summary>Where the ESP packet lies in a buffer, and what the outer header said about congestion.</summary>
    public struct Location
    {
        /// <summary>Bytes before the ESP header.</summary>
        public int Offset;

        /// <summary>Bytes from the ESP header to the end of the ICV.</summary>
        public int Length;

        /// <summary>The outer ECN field; not-ECT where the port did not give the outer header.</summary>
        public byte Ecn;
    }

    /// <summary>Finds the ESP packet; reads only the <paramref name="length"/> bytes at <paramref name="packet"/>.</summary>
    /// <returns><see cref="EspStatus.Added"/> if there is one; else what to do with the packet, and for a dropped one the reason.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static EspStatus Locate(byte* packet, int length, EspIngress ingress, out Location location, out EspDropReason reason)
    {
        // By far the most of what a port of whole packets gives: IPv4 without options that carries ESP and is no fragment.
        if (ingress == EspIngress.IpPacket && length >= EspOverhead.IPv4
            && packet[0] == PlainIPv4 && packet[9] == IpProtocol.Esp && (*(ushort*)(packet + 6) & NetworkOrder.From(FragmentBits)) == 0)
        {
            int total = NetworkOrder.From(*(ushort*)(packet + 2));
            if (total >= EspOverhead.IPv4 && total <= length)
            {
                location.Offset = EspOverhead.IPv4;
                location.Length = total - EspOverhead.IPv4;
                location.Ecn = (byte)(packet[1] & Ecn.Mask);
                reason = EspDropReason.None;
                return EspStatus.Added;
            }
        }
        return LocateOther(packet, length, ingress, out location, out reason);
    }

    private static EspStatus LocateOther(byte* packet, int length, EspIngress ingress, out Location location, out EspDropReason reason)
    {
        location = new Location { Offset = 0, Length = length };
        reason = EspDropReason.None;
        switch (ingress)
        {
            case EspIngress.UdpPayload:
                return Status(UdpEncapsulation.Classify(packet, length), ref reason);
            case EspIngress.IpPacket:
                break;
            default:
                return EspStatus.Added;
        }
        if (length < EspOverhead.IPv4)
        {
            reason = EspDropReason.OuterMalformed;
            return EspStatus.Dropped;
        }
        return packet[0] >> 4 == 4
            ? LocateInIPv4(packet, length, ref location, out reason)
            : LocateInIPv6(packet, length, ref location, out reason);
    }

    private static EspStatus LocateInIPv4(byte* packet, int length, ref Location location, out EspDropReason reason)
    {
        int header = (packet[0] & 0x0F) * 4;
        int total = NetworkOrder.From(*(ushort*)(packet + 2));
        if (header < EspOverhead.IPv4 || total < header || total > length)
        {
            reason = EspDropReason.OuterMalformed;
            return EspStatus.Dropped;
        }
        if ((NetworkOrder.From(*(ushort*)(packet + 6)) & FragmentBits) != 0)
        {
            reason = EspDropReason.OuterFragment;
            return EspStatus.Dropped;
        }
        location.Ecn = (byte)(packet[1] & Ecn.Mask);
        return LocateBehindIp(packet, header, total, packet[9], ref location, out reason);
    }

    private static EspStatus LocateInIPv6(byte* packet, int length, ref Location location, out EspDropReason reason)
    {
        reason = EspDropReason.None;
        if (packet[0] >> 4 != 6 || length < EspOverhead.IPv6
            || EspOverhead.IPv6 + NetworkOrder.From(*(ushort*)(packet + 4)) > length)
        {
            reason = EspDropReason.OuterMalformed;
            return EspStatus.Dropped;
        }
        location.Ecn = (byte)((packet[1] >> 4) & Ecn.Mask);
        int total = EspOverhead.IPv6 + NetworkOrder.From(*(ushort*)(packet + 4));
        int header = EspOverhead.IPv6;
        byte next = packet[6];
        for (int extensions = 0; IpProtocol.IsSkippedExtension(next); extensions++)
        {
            if (extensions == MaxExtensionHeaders || !TrySkipExtension(packet, total, ref header, ref next, out reason))
            {
                if (reason == EspDropReason.None)
                    return EspStatus.NotEsp;
                return EspStatus.Dropped;
            }
        }
        return LocateBehindIp(packet, header, total, next, ref location, out reason);
    }

    /// <summary>Goes behind one extension header of an outer IPv6 packet (RFC 8200 §4).</summary>
    /// <returns>False if there is no ESP for us behind it; the reason is set if the packet is to be dropped.</returns>
    private static bool TrySkipExtension(byte* packet, int total, ref int header, ref byte next, out EspDropReason reason)
    {
        byte* extension = packet + header;
        bool isFragment = next == IpProtocol.IPv6Fragment;
        reason = EspDropReason.OuterMalformed;
        if (total - header < ExtensionUnit)
            return false;
        int size = isFragment ? ExtensionUnit : ExtensionUnit * (extension[1] + 1);
        if (size > total - header)
            return false;
        // RFC 6946: a fragment header of a packet that is whole means nothing.
        if (isFragment && (NetworkOrder.From(*(ushort*)(extension + 2)) & FragmentBitsV6) != 0)
        {
            reason = EspDropReason.OuterFragment;
            return false;
        }
        reason = EspDropReason.None;
        // A packet that has yet to visit other nodes is none of ours, whatever its destination says now (RFC 8200 §4.4).
        if (next == IpProtocol.IPv6Routing && extension[3] != 0)
            return false;
        next = extension[0];
        header += size;
        return true;
    }

    private static EspStatus LocateBehindIp(byte* packet, int header, int total, byte protocol, ref Location location, out EspDropReason reason)
    {
        reason = EspDropReason.None;
        location.Offset = header;
        location.Length = total - header;
        if (protocol == IpProtocol.Esp)
            return EspStatus.Added;
        if (protocol != IpProtocol.Udp)
            return EspStatus.NotEsp;
        if (location.Length < EspOverhead.Udp)
        {
            reason = EspDropReason.OuterMalformed;
            return EspStatus.Dropped;
        }
        // The UDP checksum is not looked at (RFC 3948 §2.1); the ICV says more.
        int udp = NetworkOrder.From(*(ushort*)(packet + header + 4));
        if (udp < EspOverhead.Udp || udp > location.Length)
        {
            reason = EspDropReason.OuterMalformed;
            return EspStatus.Dropped;
        }
        location.Offset = header + EspOverhead.Udp;
        location.Length = udp - EspOverhead.Udp;
        return Status(UdpEncapsulation.Classify(packet + location.Offset, location.Length), ref reason);
    }

    private static EspStatus Status(UdpPayloadKind kind, ref EspDropReason reason)
    {
        switch (kind)
        {
            case UdpPayloadKind.Esp:
                return EspStatus.Added;
            case UdpPayloadKind.Keepalive:
                return EspStatus.Keepalive;
            case UdpPayloadKind.NonEsp:
                return EspStatus.NotEsp;
            default:
                reason = EspDropReason.Truncated;
                return EspStatus.Dropped;
        }
    }
}
