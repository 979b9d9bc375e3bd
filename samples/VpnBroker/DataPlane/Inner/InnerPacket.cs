using System.Runtime.CompilerServices;
using VpnBroker.DataPlane.Counters;

namespace VpnBroker.DataPlane.Inner;

/// <summary>
/// An inner IP packet's header, checked: what routing needs to know of it. IPv4 options and IPv6 extension headers are carried along
/// unread, as a router does.
/// </summary>
internal unsafe struct InnerPacket
{
    /// <summary>Bytes of an IPv4 header without options.</summary>
    public const int IPv4Header = 20;

    /// <summary>Bytes of an IPv6 header.</summary>
    public const int IPv6Header = 40;

    /// <summary>The source address.</summary>
    public InnerAddress Source;

    /// <summary>The destination address.</summary>
    public InnerAddress Destination;

    /// <summary>The packet's length by its own header, which may be less than what the link carried.</summary>
    public int Length;

    /// <summary>Checks a packet as it came from a peer.</summary>
    /// <param name="data">The packet's first byte.</param>
    /// <param name="available">Bytes that the link carried.</param>
    /// <param name="packet">What the header says, with <see cref="DropReason.None"/>.</param>
    /// <returns>None, <see cref="DropReason.InnerMalformed"/> or <see cref="DropReason.InnerChecksum"/>.</returns>
    // Sound: each header field is read only after `available` was found to cover it.
    public static DropReason TryParse(byte* data, int available, out InnerPacket packet)
    {
        packet = default;
        if (available < IPv4Header)
            return DropReason.InnerMalformed;
        switch (data[0] >> 4)
        {
            case 4:
                int header = (data[0] & 0x0F) * 4;
                int length = NetworkOrder.From(*(ushort*)(data + 2));
                // RFC 1812 §5.2.2: the five checks that a router makes before it forwards.
                if (header < IPv4Header || length < header || length > available)
                    return DropReason.InnerMalformed;
                if (InternetChecksum.Finish(InternetChecksum.Add(0, data, header)) != 0)
                    return DropReason.InnerChecksum;
                packet.Length = length;
                packet.Source = InnerAddress.ReadIPv4(data + 12);
                packet.Destination = InnerAddress.ReadIPv4(data + 16);
                return DropReason.None;
            case 6 when available >= IPv6Header:
                int payload = NetworkOrder.From(*(ushort*)(data + 4));
                // RFC 2675: a payload length of 0 with a hop-by-hop header means a jumbogram, which no link here can carry.
                if (payload > available - IPv6Header || (payload == 0 && data[6] == HopByHop))
                    return DropReason.InnerMalformed;
                packet.Length = IPv6Header + payload;
                packet.Source = InnerAddress.ReadIPv6(data + 8);
                packet.Destination = InnerAddress.ReadIPv6(data + 24);
                return DropReason.None;
            default:
                return DropReason.InnerMalformed;
        }
    }

    /// <summary>Whether a router must never forward to this address: unspecified, loopback, link-local, multicast, broadcast.</summary>
    public static bool IsForwardable(in InnerAddress address)
    {
        if (address.Family == 4)
        {
            uint value = (uint)address.Low;
            // 0/8, 127/8, 169.254/16, and 224/3 (multicast, reserved, broadcast): RFC 1812 §5.3.7, RFC 3927 §2.7.
            return value >> 24 is not (0 or 127) && value >> 16 != 0xA9FE && value < 0xE000_0000;
        }
        // ff00::/8, fe80::/10, :: and ::1: RFC 4291 §2.5.
        return address.High >> 56 != 0xFF && address.High >> 54 != 0x3FA && !(address.High == 0 && address.Low <= 1);
    }

    /// <summary>Takes one from the TTL or hop limit of a checked packet and mends the checksum.</summary>
    /// <returns>False, with nothing changed, when it is used up: time exceeded.</returns>
    // Sound: touches bytes 7 to 11 of a header whose 20 or 40 bytes were checked.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryDecrementHopLimit(byte* data)
    {
        if (data[0] >> 4 == 6)
        {
            if (data[7] <= 1)
                return false;
            data[7]--;
            return true;
        }
        if (data[8] <= 1)
            return false;
        // TTL and protocol make one word of the checksum.
        ushort before = *(ushort*)(data + 8);
        data[8]--;
        *(ushort*)(data + 10) = InternetChecksum.Update(*(ushort*)(data + 10), before, *(ushort*)(data + 8));
        return true;
    }

    private const byte HopByHop = 0;
}
