using CryptoPlane.Flows.Sessions;
using Xunit;
using static CryptoPlane.Tests.Flows.Sessions.IpPackets;

namespace CryptoPlane.Tests.Flows.Sessions;

public sealed class SessionParserTests
{
    private const byte HopByHop = 0, Routing = 43, Authentication = 51, DestinationOptions = 60, FragmentHeader = 44;

    [Theory]
    [InlineData(A4, B4)]
    [InlineData(B4, A4)]
    [InlineData(A6, B6)]
    [InlineData(A4, A4)]
    [InlineData(A6, A6)]
    public void Both_directions_give_one_key(string from, string to)
    {
        (_, SessionKey key, SessionPacket there) = Parse(Ip(from, to, 17, Udp(4000, 53)));
        (_, SessionKey back, SessionPacket answer) = Parse(Ip(to, from, 17, Udp(53, 4000)));
        Assert.Equal(key, back);
        Assert.NotEqual(there.IsFromUpper, answer.IsFromUpper);
        Assert.Equal(SessionKeyKind.Ports, key.Kind);
        SessionAddress source = there.IsFromUpper ? key.Upper : key.Lower;
        Assert.Equal(from, source.ToString());
        Assert.Equal(4000, there.IsFromUpper ? key.UpperPort : key.LowerPort);
        Assert.Equal(key.PairHash(), back.PairHash());
    }

    [Theory]
    [InlineData(6)]
    [InlineData(17)]
    [InlineData(33)]
    [InlineData(132)]
    [InlineData(136)]
    public void Protocols_with_ports_have_them(byte protocol)
    {
        foreach (byte[] packet in new[] { IPv4(A4, B4, protocol, Tcp(1, 2)), IPv6(A6, B6, protocol, Tcp(1, 2)) })
        {
            (bool parsed, SessionKey key, SessionPacket seen) = Parse(packet);
            Assert.True(parsed);
            Assert.True(key.HasPorts);
            Assert.Equal((1, 2), (key.LowerPort, key.UpperPort));
            Assert.Equal(protocol, key.Protocol);
            Assert.Equal(protocol == 6, (seen.Flags & SessionPacketFlags.Tcp) != 0);
        }
    }

    [Theory]
    [InlineData(47)]
    [InlineData(50)]
    [InlineData(4)]
    [InlineData(59)]
    [InlineData(255)]
    public void Protocols_without_ports_have_none(byte protocol)
    {
        foreach (byte[] packet in new[] { IPv4(A4, B4, protocol, Tcp(1, 2)), IPv6(A6, B6, protocol, Tcp(1, 2)) })
        {
            (_, SessionKey key, _) = Parse(packet);
            Assert.Equal(SessionKeyKind.Portless, key.Kind);
            Assert.Equal((0, 0), (key.LowerPort, key.UpperPort));
        }
    }

    [Fact]
    public void Options_of_ipv4_are_skipped()
    {
        for (int words = 0; words <= 10; words++)
        {
            (_, SessionKey key, SessionPacket seen) = Parse(IPv4(A4, B4, 6, Tcp(80, 9), new byte[words * 4], tos: 0xB8));
            Assert.Equal((80, 9), (key.LowerPort, key.UpperPort));
            Assert.Equal(20 + (words * 4), seen.UpperOffset);
            Assert.Equal(46, seen.Dscp);
        }
    }

    [Fact]
    public void Extension_headers_are_followed()
    {
        byte[] ah = [6, 4, .. new byte[22], .. Tcp(80, 9)];
        byte[] chain = Extension(DestinationOptions, Extension(Routing, Extension(Authentication, ah), 2), 3);
        (_, SessionKey key, SessionPacket seen) = Parse(IPv6(A6, B6, HopByHop, chain, trafficClass: 0xB8));
        Assert.Equal((SessionKeyKind.Ports, 6, 80, 9), (key.Kind, key.Protocol, key.LowerPort, key.UpperPort));
        Assert.Equal(46, seen.Dscp);
        Assert.Equal(40 + chain.Length - 20, seen.UpperOffset);
    }

    [Fact]
    public void A_chain_beyond_the_bound_has_no_ports()
    {
        byte[] chain = Tcp(80, 9);
        byte next = 6;
        for (int headers = 1; headers <= SessionParser.MaximumExtensionHeaders + 1; headers++)
        {
            chain = Extension(next, chain);
            next = DestinationOptions;
            (_, SessionKey key, _) = Parse(IPv6(A6, B6, DestinationOptions, chain));
            bool followed = headers <= SessionParser.MaximumExtensionHeaders;
            Assert.Equal(followed ? SessionKeyKind.Ports : SessionKeyKind.Unreadable, key.Kind);
            Assert.Equal(followed ? 6 : DestinationOptions, key.Protocol);
            Assert.Equal(followed, key.HasProtocol);
        }
    }

    [Theory]
    [InlineData(8, 0, 8)]
    [InlineData(13, 14, 13)]
    [InlineData(17, 18, 17)]
    public void An_icmp_reply_is_of_its_request_s_session(byte request, byte reply, byte other)
    {
        (_, SessionKey key, SessionPacket seen) = Parse(IPv4(A4, B4, 1, Icmp(request, 0, 77)));
        Assert.Equal((SessionKeyKind.Query, 77, 77), (key.Kind, key.LowerPort, key.UpperPort));
        Assert.Equal((request, 0), (seen.IcmpType, seen.IcmpCode));
        Assert.Equal(key, Parse(IPv4(B4, A4, 1, Icmp(reply, 0, 77))).Key);
        Assert.NotEqual(key, Parse(IPv4(B4, A4, 1, Icmp(reply, 0, 78))).Key);
        Assert.NotEqual(key, Parse(IPv4(A4, B4, 1, Icmp((byte)(other == 8 ? 13 : 8), 0, 77))).Key);
    }

    [Fact]
    public void Icmpv6_echo_has_its_identifier_and_other_messages_their_type()
    {
        SessionKey echo = Parse(IPv6(A6, B6, 58, Icmp(128, 0, 9))).Key;
        Assert.Equal((SessionKeyKind.Query, 9), (echo.Kind, echo.LowerPort));
        Assert.Equal(echo, Parse(IPv6(B6, A6, 58, Icmp(129, 0, 9))).Key);
        SessionKey solicitation = Parse(IPv6(A6, B6, 58, Icmp(135, 0, 9))).Key;
        Assert.Equal((SessionKeyKind.Message, 135 << 8), (solicitation.Kind, solicitation.LowerPort));
        // One family's ICMP in the other's packets is just a protocol.
        Assert.Equal(SessionKeyKind.Portless, Parse(IPv6(A6, B6, 1, Icmp(8, 0, 9))).Key.Kind);
        Assert.Equal(SessionKeyKind.Portless, Parse(IPv4(A4, B4, 58, Icmp(128, 0, 9))).Key.Kind);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(11)]
    [InlineData(12)]
    public void An_icmp_error_names_the_session_that_it_quotes(byte type)
    {
        byte[] sent = IPv4(A4, B4, 6, Tcp(4000, 443), options: new byte[8]);
        (bool parsed, SessionKey key, bool isFromUpper) = ParseQuoted(IPv4("203.0.113.1", A4, 1, Icmp(type, 1, 0, sent[..36])));
        (_, SessionKey session, SessionPacket seen) = Parse(sent);
        Assert.True(parsed);
        Assert.Equal(session, key);
        Assert.NotEqual(seen.IsFromUpper, isFromUpper);

        byte[] sent6 = IPv6(A6, B6, DestinationOptions, Extension(17, Udp(4000, 53)));
        (parsed, key, isFromUpper) = ParseQuoted(IPv6("2001:db8:f::1", A6, 58, Icmp(1, 0, 0, sent6)));
        (_, session, seen) = Parse(sent6);
        Assert.True(parsed);
        Assert.Equal(session, key);
        Assert.NotEqual(seen.IsFromUpper, isFromUpper);
    }

    [Fact]
    public void An_icmp_error_names_no_session_that_its_receiver_has_no_part_in()
    {
        byte[] sent = IPv4(A4, B4, 17, Udp(4000, 53));
        Assert.True(ParseQuoted(IPv4(B4, A4, 1, Icmp(3, 3, 0, sent))).IsParsed);
        Assert.False(ParseQuoted(IPv4(A4, B4, 1, Icmp(3, 3, 0, sent))).IsParsed);
        Assert.False(ParseQuoted(IPv4(A4, "10.0.0.2", 1, Icmp(3, 3, 0, sent))).IsParsed);
        Assert.False(ParseQuoted(IPv4(B4, A4, 1, Icmp(3, 3, 0, IPv4(A4, B4, 17, Udp(4000, 53), offset: 8)))).IsParsed);
        Assert.False(ParseQuoted(IPv4(B4, A4, 1, Icmp(3, 3, 0, IPv6(A6, B6, 17, Udp(4000, 53))))).IsParsed);
        Assert.False(ParseQuoted(IPv4(B4, A4, 1, Icmp(3, 3, 0, IPv4(A4, B4, 1, Icmp(3, 3, 0, sent))))).IsParsed);
        for (int length = 0; length < 28; length++)
            Assert.False(ParseQuoted(IPv4(B4, A4, 1, Icmp(3, 3, 0, sent[..length]))).IsParsed);
    }

    [Fact]
    public void Every_truncation_gives_no_ports_or_the_right_ones()
    {
        byte[][] packets =
        [
            IPv4(A4, B4, 6, Tcp(80, 9), new byte[12]),
            IPv4(A4, B4, 17, Udp(80, 9)),
            IPv4(A4, B4, 132, Tcp(80, 9)),
            IPv6(A6, B6, HopByHop, Extension(Routing, Extension(DestinationOptions, Extension(6, Tcp(80, 9)), 2))),
            IPv6(A6, B6, FragmentHeader, Fragment(17, 0, false, 1, Udp(80, 9))),
            IPv6(A6, B6, Authentication, [6, 1, .. new byte[10], .. Tcp(80, 9)]),
        ];
        foreach (byte[] packet in packets)
        {
            Assert.Equal((80, 9), (Parse(packet).Key.LowerPort, Parse(packet).Key.UpperPort));
            for (int length = 0; length < packet.Length; length++)
            {
                // The link carries less than the header says: no packet.
                Assert.False(Parse(packet.AsSpan(0, length)).IsParsed);
                // The header says less: a packet of its own, whose ports are there or are not.
                byte[] cut = packet[..length];
                bool isIPv4 = packet[0] >> 4 == 4;
                if (length < (isIPv4 ? 20 : 40))
                    continue;
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16BigEndian(cut.AsSpan(isIPv4 ? 2 : 4), (ushort)(isIPv4 ? length : length - 40));
                (bool parsed, SessionKey key, _) = Parse(cut);
                Assert.Equal(!isIPv4 || length >= (packet[0] & 15) * 4, parsed);
                if (!parsed)
                    continue;
                Assert.True(key.Kind == SessionKeyKind.Unreadable || (key.HasPorts && (key.LowerPort, key.UpperPort) == (80, 9)), $"{length}: {key.Kind}");
                if (!key.HasPorts)
                    Assert.Equal((0, 0), (key.LowerPort, key.UpperPort));
            }
        }
    }

    [Fact]
    public void Every_truncation_of_a_quotation_gives_no_session_or_the_right_one()
    {
        byte[] sent4 = IPv4(A4, B4, 6, Tcp(80, 9), new byte[8]), sent6 = IPv6(A6, B6, HopByHop, Extension(17, Udp(80, 9, 40)));
        for (int length = 0; length <= sent4.Length; length++)
            Assert.True(ParseQuoted(IPv4("203.0.113.1", A4, 1, Icmp(11, 0, 0, sent4[..length]))) is (false, _, _) or { Key: { LowerPort: 80, UpperPort: 9 } });
        for (int length = 0; length <= sent6.Length; length++)
            Assert.True(ParseQuoted(IPv6("2001:db8:f::1", A6, 58, Icmp(3, 0, 0, sent6[..length]))) is (false, _, _) or { Key: { LowerPort: 80, UpperPort: 9 } });
    }

    [Fact]
    public void Random_bytes_never_are_read_beyond_their_end()
    {
        var random = new Random(20261121);
        byte[][] seeds =
        [
            IPv4(A4, B4, 6, Tcp(80, 9), new byte[12]), IPv4(B4, A4, 1, Icmp(3, 3, 0, IPv4(A4, B4, 17, Udp(1, 2)))),
            IPv6(A6, B6, HopByHop, Extension(Routing, Extension(DestinationOptions, Extension(6, Tcp(80, 9)), 2))),
            IPv6(A6, B6, FragmentHeader, Fragment(17, 8, true, 1, Udp(80, 9))), IPv6(B6, A6, 58, Icmp(1, 0, 0, IPv6(A6, B6, HopByHop, Extension(17, Udp(1, 2))))),
        ];
        for (int round = 0; round < 20_000; round++)
        {
            byte[] packet = (byte[])seeds[round % seeds.Length].Clone();
            for (int changes = random.Next(1, 6); changes > 0; changes--)
                packet[random.Next(packet.Length)] = (byte)random.Next(256);
            (bool parsed, SessionKey key, SessionPacket seen) = Parse(packet);
            if (parsed)
                Assert.True(seen.UpperOffset + seen.UpperLength <= packet.Length);
            if (parsed && key.HasPorts)
                Assert.True(seen.UpperLength >= 8 && (seen.Flags & SessionPacketFlags.LaterFragment) == 0);
            ParseQuoted(packet);
        }
    }

    private static byte[] Ip(string from, string to, byte protocol, byte[] upper) =>
        from.Contains(':', StringComparison.Ordinal) ? IPv6(from, to, protocol, upper) : IPv4(from, to, protocol, upper);
}
