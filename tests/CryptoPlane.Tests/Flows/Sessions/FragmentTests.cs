using CryptoPlane.Flows.Sessions;
using Xunit;
using static CryptoPlane.Tests.Flows.Sessions.IpPackets;

namespace CryptoPlane.Tests.Flows.Sessions;

public sealed class FragmentTests
{
    private const long Second = 1_000_000_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_later_fragment_is_of_the_first_one_s_session(bool isIPv6)
    {
        using var table = new FragmentTable(16, 30 * Second, seed: 1);
        (SessionKey later, SessionPacket laterSeen) = Later(isIPv6, id: 5);
        Assert.Equal(SessionKeyKind.Fragments, later.Kind);
        Assert.False(later.HasPorts);
        Assert.False(table.TryFind(ref later, ref laterSeen, 0));

        (SessionKey first, SessionPacket firstSeen) = First(isIPv6, id: 5);
        Assert.True(first.HasPorts);
        table.Note(first, firstSeen, 0);
        Assert.True(table.TryFind(ref later, ref laterSeen, 29 * Second));
        Assert.Equal(first, later);

        (SessionKey other, SessionPacket otherSeen) = Later(isIPv6, id: 6);
        Assert.False(table.TryFind(ref other, ref otherSeen, 0));
        (SessionKey back, SessionPacket backSeen) = Later(isIPv6, id: 5, reverse: true);
        Assert.False(table.TryFind(ref back, ref backSeen, 0));
        (SessionKey late, SessionPacket lateSeen) = Later(isIPv6, id: 5);
        Assert.False(table.TryFind(ref late, ref lateSeen, 30 * Second));
        Assert.Equal(SessionKeyKind.Fragments, late.Kind);
    }

    [Fact]
    public void Of_ipv4_the_protocol_counts_and_of_ipv6_it_does_not()
    {
        using var table = new FragmentTable(16, Second, seed: 1);
        (SessionKey first, SessionPacket seen) = First(isIPv6: false, id: 5);
        table.Note(first, seen, 0);
        (_, SessionKey icmp, SessionPacket icmpSeen) = Parse(IPv4(A4, B4, 1, new byte[16], offset: 800, id: 5));
        Assert.False(table.TryFind(ref icmp, ref icmpSeen, 0));

        (first, seen) = First(isIPv6: true, id: 5);
        table.Note(first, seen, 0);
        (_, SessionKey options, SessionPacket optionsSeen) = Parse(IPv6(A6, B6, 44, Fragment(60, 800, false, 5, new byte[16])));
        Assert.True(table.TryFind(ref options, ref optionsSeen, 0));
        Assert.Equal(first, options);
    }

    [Fact]
    public void A_second_first_fragment_takes_the_place()
    {
        using var table = new FragmentTable(16, Second, seed: 1);
        (SessionKey first, SessionPacket seen) = First(isIPv6: false, id: 5);
        table.Note(first, seen, 0);
        (_, SessionKey second, SessionPacket secondSeen) = Parse(IPv4(A4, B4, 17, Udp(1, 2, 64), more: true, id: 5));
        table.Note(second, secondSeen, 0);
        (SessionKey later, SessionPacket laterSeen) = Later(isIPv6: false, id: 5);
        Assert.True(table.TryFind(ref later, ref laterSeen, 0));
        Assert.Equal(second, later);
    }

    [Fact]
    public void A_flood_keeps_the_newest_and_the_table_s_size()
    {
        using var table = new FragmentTable(64, 1000, seed: 99);
        int found = 0;
        for (int id = 0; id < 10_000; id++)
        {
            (SessionKey first, SessionPacket seen) = First(isIPv6: true, (uint)id);
            table.Note(first, seen, now: id);
            (SessionKey later, SessionPacket laterSeen) = Later(isIPv6: true, (uint)id);
            Assert.True(table.TryFind(ref later, ref laterSeen, id));
        }
        for (int id = 0; id < 10_000; id++)
        {
            (SessionKey later, SessionPacket laterSeen) = Later(isIPv6: true, (uint)id);
            found += table.TryFind(ref later, ref laterSeen, 9_999) ? 1 : 0;
        }
        Assert.InRange(found, 16, 64);
    }

    [Fact]
    public void An_atomic_fragment_is_a_whole_packet()
    {
        (_, SessionKey key, SessionPacket seen) = Parse(IPv6(A6, B6, 44, Fragment(17, 0, false, 5, Udp(1, 2))));
        Assert.True(key.HasPorts);
        Assert.Equal(SessionPacketFlags.None, seen.Flags);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(19)]
    public void A_first_fragment_without_its_whole_header_is_unsafe(int bytes)
    {
        foreach (byte[] packet in new[] { IPv4(A4, B4, 6, Tcp(1, 2)[..bytes], more: true), IPv6(A6, B6, 44, Fragment(6, 0, true, 1, Tcp(1, 2)[..bytes])) })
        {
            (_, SessionKey key, SessionPacket seen) = Parse(packet);
            Assert.Equal(SessionKeyKind.Unreadable, key.Kind);
            Assert.True((seen.Flags & SessionPacketFlags.UnsafeFragment) != 0);
        }
    }

    [Fact]
    public void A_first_fragment_without_its_whole_chain_is_unsafe()
    {
        (_, SessionKey key, SessionPacket seen) = Parse(IPv6(A6, B6, 44, Fragment(60, 0, true, 1, Extension(6, [], 1))));
        Assert.False(key.HasPorts);
        Assert.True((seen.Flags & SessionPacketFlags.UnsafeFragment) != 0);
        (_, key, seen) = Parse(IPv6(A6, B6, 44, Fragment(60, 0, true, 1, [6, 3, 0, 0, 0, 0, 0, 0])));
        Assert.False(key.HasPorts);
        Assert.True((seen.Flags & SessionPacketFlags.UnsafeFragment) != 0);
    }

    [Fact]
    public void A_fragment_over_tcp_s_flags_or_behind_the_largest_packet_is_unsafe()
    {
        Assert.True((Parse(IPv4(A4, B4, 6, new byte[16], offset: 8)).Packet.Flags & SessionPacketFlags.UnsafeFragment) != 0);
        Assert.True((Parse(IPv6(A6, B6, 44, Fragment(6, 8, false, 1, new byte[16]))).Packet.Flags & SessionPacketFlags.UnsafeFragment) != 0);
        Assert.True((Parse(IPv4(A4, B4, 17, new byte[16], offset: 65_528)).Packet.Flags & SessionPacketFlags.UnsafeFragment) != 0);
        Assert.Equal(SessionPacketFlags.LaterFragment, Parse(IPv4(B4, A4, 6, new byte[16], offset: 16)).Packet.Flags & ~SessionPacketFlags.FromUpper);
        Assert.Equal(SessionPacketFlags.LaterFragment, Parse(IPv4(A4, B4, 17, new byte[16], offset: 8)).Packet.Flags);
    }

    [Fact]
    public void A_second_fragment_header_ends_the_chain()
    {
        (_, SessionKey key, SessionPacket seen) = Parse(IPv6(A6, B6, 44, Fragment(44, 0, true, 1, Fragment(17, 0, false, 2, Udp(1, 2)))));
        Assert.Equal((SessionKeyKind.Unreadable, 44), (key.Kind, key.Protocol));
        Assert.True((seen.Flags & SessionPacketFlags.UnsafeFragment) != 0);
    }

    private static (SessionKey Key, SessionPacket Packet) First(bool isIPv6, uint id)
    {
        byte[] udp = Udp(4000, 53, 64);
        (_, SessionKey key, SessionPacket packet) = Parse(isIPv6 ? IPv6(A6, B6, 44, Fragment(17, 0, true, id, udp)) : IPv4(A4, B4, 17, udp, more: true, id: (ushort)id));
        return (key, packet);
    }

    private static (SessionKey Key, SessionPacket Packet) Later(bool isIPv6, uint id, bool reverse = false)
    {
        (string from, string to) = (isIPv6 ? A6 : A4, isIPv6 ? B6 : B4);
        if (reverse)
            (from, to) = (to, from);
        byte[] rest = new byte[64];
        (_, SessionKey key, SessionPacket packet) = Parse(isIPv6 ? IPv6(from, to, 44, Fragment(17, 72, false, id, rest)) : IPv4(from, to, 17, rest, offset: 72, id: (ushort)id));
        return (key, packet);
    }
}
