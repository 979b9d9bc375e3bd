namespace VpnBroker.DataPlane.Inner;

/// <summary>An ICMP error that a router sends about a packet that it does not forward.</summary>
internal enum IcmpErrorKind : byte
{
    /// <summary>IPv4: type 3 code 4, fragmentation needed, with the next hop's MTU (RFC 1191 §4). IPv6: type 2, packet too big.</summary>
    TooBig,

    /// <summary>IPv4: type 11 code 0, TTL exceeded in transit. IPv6: type 3 code 0, hop limit exceeded.</summary>
    TimeExceeded,

    /// <summary>IPv4: type 3 code 0, network unreachable. IPv6: type 1 code 0, no route to destination.</summary>
    NoRoute,

    /// <summary>
    /// IPv4: type 3 code 13, communication administratively prohibited (RFC 1812 §5.2.7.1). IPv6: type 1 code 1, likewise (RFC 4443 §3.1).
    /// </summary>
    Prohibited,
}

/// <summary>Writes ICMP errors (RFC 792, RFC 1812 §4.3) and ICMPv6 errors (RFC 4443).</summary>
internal static unsafe class IcmpError
{
    /// <summary>Largest error: IPv6's minimum MTU, beyond which nothing is quoted (RFC 4443 §2.4 c).</summary>
    public const int MaxIPv6 = 1280;

    /// <summary>Largest IPv4 error (RFC 1812 §4.3.2.3).</summary>
    public const int MaxIPv4 = 576;

    private const int IcmpHeader = 8;
    private const byte Icmp = 1;
    private const byte IcmpV6 = 58;
    private const byte HopLimit = 64;

    /// <summary>The IPv4 dummy address (RFC 7600 §6): the source of errors of a router that has no IPv4 address.</summary>
    private const uint DummyIPv4 = 0xC000_0008;

    /// <summary>Whether an error may be sent about a checked packet at all.</summary>
    // RFC 1812 §4.3.2.7 and RFC 4443 §2.4 e: never about an ICMP error, a fragment but the first, or from or to many or nobody.
    public static bool IsAllowed(byte* offending, in InnerPacket packet)
    {
        if (!InnerPacket.IsForwardable(packet.Source) || !InnerPacket.IsForwardable(packet.Destination))
            return false;
        if (packet.Source.Family == 4)
        {
            int header = (offending[0] & 0x0F) * 4;
            if ((NetworkOrder.From(*(ushort*)(offending + 6)) & 0x1FFF) != 0)
                return false;
            // Type 0 (echo reply), 8 (echo), 13 to 18 are no errors; an unreadable type may be one.
            return offending[9] != Icmp || (packet.Length > header && offending[header] is 0 or 8 or (>= 13 and <= 18));
        }
        // Types below 128 are errors. Behind extension headers the upper protocol is not looked for, except a fragment header.
        return offending[6] switch
        {
            IcmpV6 => packet.Length > InnerPacket.IPv6Header && offending[InnerPacket.IPv6Header] >= 128,
            44 => packet.Length >= InnerPacket.IPv6Header + 8
                && (NetworkOrder.From(*(ushort*)(offending + InnerPacket.IPv6Header + 2)) & 0xFFF8) == 0
                && offending[InnerPacket.IPv6Header] != IcmpV6,
            _ => true,
        };
    }

    /// <summary>Writes an error about a checked packet, addressed to its source.</summary>
    /// <param name="kind">The error.</param>
    /// <param name="offending">The packet as it came (its hop limit not yet taken from).</param>
    /// <param name="packet">What its header says.</param>
    /// <param name="router">The broker's own address of the family; none if it has none.</param>
    /// <param name="mtu">The next hop's MTU, for <see cref="IcmpErrorKind.TooBig"/>.</param>
    /// <param name="destination">Room for <see cref="MaxIPv6"/> bytes.</param>
    /// <returns>The error's bytes.</returns>
    public static int Write(IcmpErrorKind kind, byte* offending, in InnerPacket packet, InnerAddress router, int mtu, byte* destination) =>
        packet.Source.Family == 4
            ? WriteIPv4(kind, offending, packet, router, mtu, destination)
            : WriteIPv6(kind, offending, packet, router, mtu, destination);

    private static int WriteIPv4(IcmpErrorKind kind, byte* offending, in InnerPacket packet, InnerAddress router, int mtu, byte* destination)
    {
        int quoted = Math.Min(packet.Length, MaxIPv4 - InnerPacket.IPv4Header - IcmpHeader);
        int length = InnerPacket.IPv4Header + IcmpHeader + quoted;
        new Span<byte>(destination, InnerPacket.IPv4Header + IcmpHeader).Clear();
        destination[0] = 0x45;
        // RFC 1812 §4.3.2.5: precedence 6, internetwork control.
        destination[1] = 0xC0;
        *(ushort*)(destination + 2) = NetworkOrder.From((ushort)length);
        destination[8] = HopLimit;
        destination[9] = Icmp;
        *(uint*)(destination + 12) = NetworkOrder.From(router.Family == 4 ? (uint)router.Low : DummyIPv4);
        packet.Source.Write(destination + 16);
        *(ushort*)(destination + 10) = InternetChecksum.Finish(InternetChecksum.Add(0, destination, InnerPacket.IPv4Header));

        byte* icmp = destination + InnerPacket.IPv4Header;
        (icmp[0], icmp[1]) = kind switch
        {
            IcmpErrorKind.TooBig => ((byte)3, (byte)4),
            IcmpErrorKind.TimeExceeded => ((byte)11, (byte)0),
            IcmpErrorKind.Prohibited => ((byte)3, (byte)13),
            _ => ((byte)3, (byte)0),
        };
        if (kind == IcmpErrorKind.TooBig)
            *(ushort*)(icmp + 6) = NetworkOrder.From((ushort)Math.Min(mtu, ushort.MaxValue));
        Buffer.MemoryCopy(offending, icmp + IcmpHeader, quoted, quoted);
        *(ushort*)(icmp + 2) = InternetChecksum.Finish(InternetChecksum.Add(0, icmp, IcmpHeader + quoted));
        return length;
    }

    private static int WriteIPv6(IcmpErrorKind kind, byte* offending, in InnerPacket packet, InnerAddress router, int mtu, byte* destination)
    {
        int quoted = Math.Min(packet.Length, MaxIPv6 - InnerPacket.IPv6Header - IcmpHeader);
        int payload = IcmpHeader + quoted;
        new Span<byte>(destination, InnerPacket.IPv6Header + IcmpHeader).Clear();
        destination[0] = 0x60;
        *(ushort*)(destination + 4) = NetworkOrder.From((ushort)payload);
        destination[6] = IcmpV6;
        destination[7] = HopLimit;
        // A router without an IPv6 address speaks for the destination: RFC 4443 §2.2 has no dummy.
        (router.Family == 6 ? router : packet.Destination).Write(destination + 8);
        packet.Source.Write(destination + 24);

        byte* icmp = destination + InnerPacket.IPv6Header;
        icmp[0] = kind switch
        {
            IcmpErrorKind.TooBig => 2,
            IcmpErrorKind.TimeExceeded => 3,
            _ => 1,
        };
        icmp[1] = kind == IcmpErrorKind.Prohibited ? (byte)1 : (byte)0;
        if (kind == IcmpErrorKind.TooBig)
            *(uint*)(icmp + 4) = NetworkOrder.From((uint)mtu);
        Buffer.MemoryCopy(offending, icmp + IcmpHeader, quoted, quoted);
        // RFC 8200 §8.1: the checksum covers a pseudo-header of both addresses, the length and the next header.
        ulong sum = InternetChecksum.Add(0, destination + 8, 32);
        sum += NetworkOrder.From((ushort)payload);
        sum += NetworkOrder.From((ushort)IcmpV6);
        *(ushort*)(icmp + 2) = InternetChecksum.Finish(InternetChecksum.Add(sum, icmp, payload));
        return InnerPacket.IPv6Header + payload;
    }
}
