using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike.Responder;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Responder.InitRequests;

namespace CryptoPlane.Ike.Tests.Responder;

public sealed class InitGateTests : IDisposable
{
    private static readonly InitGateLimits s_limits = new()
    {
        HalfOpen = 80,
        HalfOpenPerAddress = 6,
        HalfOpenPerAddressBeforeCookie = 3,
        HalfOpenTimeout = 1_000,
        PerSecond = 1_000,
        PerSecondBeforeCookie = 1_000,
        PerSecondPerAddress = 1_000,
        PerSecondPerAddressBeforeCookie = 1_000,
    };

    private InitGate _gate = new(s_limits, RandomNumberGenerator.Fill);
    private ulong _spi;

    public void Dispose() => _gate.Dispose();

    [Fact]
    public void A_repeated_request_gets_the_same_answer_while_its_sa_is_half_open()
    {
        byte[] request = Make(1);
        Assert.Equal(InitDecision.Accept, Decide(1, request, out InitTicket ticket, out _));
        _gate.Open(ticket, 42, [1, 2, 3], 0);
        Assert.Equal(InitDecision.Reply, Decide(1, request, out _, out byte[] reply));
        Assert.Equal([1, 2, 3], reply);
        Assert.Equal((1, 1L, 1L), (_gate.HalfOpenCount, _gate.Counters.Accepted, _gate.Counters.Repeated));
        // RFC 7296 §2.1: not the SPI tells requests apart, since peers behind one NAT may choose the same.
        byte[] sameSpi = [.. request];
        sameSpi[^1] ^= 1;
        Assert.Equal(InitDecision.Accept, Decide(1, sameSpi, out _, out _));
        Assert.Equal(InitDecision.Accept, Decide(2, request, out _, out _));
        _gate.Close(42);
        Assert.Equal(0, _gate.HalfOpenCount);
        Assert.Equal(InitDecision.Accept, Decide(1, request, out _, out _));
    }

    [Fact]
    public void An_address_with_many_half_open_sas_needs_a_cookie_and_has_a_limit()
    {
        for (int i = 0; i < 3; i++)
            AcceptAndOpen(1, Make(i));
        byte[] request = Make(3);
        Assert.Equal(InitDecision.Reply, Decide(1, request, out _, out byte[] demand));
        Assert.Equal(3, _gate.HalfOpenCount);
        AcceptAndOpen(1, Make(3, CookieOf(demand, request)));
        for (int i = 4; i < 6; i++)
            AcceptAndOpen(1, WithCookie(1, i));
        Assert.Equal(InitDecision.Drop, Decide(1, WithCookie(1, 6), out _, out _));
        Assert.Equal(1, _gate.Counters.TooManyFromAddress);
        // Others are not concerned.
        AcceptAndOpen(2, Make(100));
    }

    [Fact]
    public void A_wrong_cookie_gets_a_good_one()
    {
        for (int i = 0; i < 3; i++)
            AcceptAndOpen(1, Make(i));
        byte[] request = Make(3, new byte[StatelessCookie.Length]);
        Assert.Equal(InitDecision.Reply, Decide(1, request, out _, out byte[] demand));
        Assert.Equal((0L, 1L), (_gate.Counters.CookiesDemanded, _gate.Counters.CookiesRefused));
        AcceptAndOpen(1, Make(3, CookieOf(demand, request)));
        // A cookie of another address is none.
        Assert.Equal(InitDecision.Accept, Decide(2, Make(3, CookieOf(demand, request)), out _, out _));
        Assert.Equal((4L, 1L), (_gate.Counters.Accepted, _gate.Counters.AcceptedWithCookie));
    }

    [Fact]
    public void With_many_half_open_sas_everybody_needs_a_cookie_and_there_is_a_limit()
    {
        for (int i = 0; i < 10; i++)
            AcceptAndOpen((uint)i, Make(i));
        for (int i = 10; i < 80; i++)
        {
            Assert.Equal(InitDecision.Reply, Decide((uint)i, Make(i), out _, out _));
            AcceptAndOpen((uint)i, WithCookie((uint)i, i));
        }
        Assert.Equal(InitDecision.Drop, Decide(80, WithCookie(80, 80), out _, out _));
        Assert.Equal((80, 1L), (_gate.HalfOpenCount, _gate.Counters.TooManyHalfOpen));
    }

    [Fact]
    public void Half_open_sas_expire_in_the_order_of_their_age()
    {
        Assert.Equal(long.MaxValue, _gate.NextExpiry);
        AcceptAndOpen(1, Make(1), now: 5);
        AcceptAndOpen(1, Make(2), now: 9);
        Assert.Equal(1_005, _gate.NextExpiry);
        Assert.False(_gate.TryExpire(1_004, out _));
        Assert.True(_gate.TryExpire(1_005, out ulong spi));
        Assert.Equal(1ul, spi);
        Assert.False(_gate.TryExpire(1_005, out _));
        Assert.Equal(1_009, _gate.NextExpiry);
        _gate.Close(2);
        Assert.Equal(long.MaxValue, _gate.NextExpiry);
        Assert.Equal(1, _gate.Counters.Expired);
    }

    [Theory]
    [InlineData("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true)]
    [InlineData("2001:db8::1", "2001:db8:0:1::1", false)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("0.0.0.1", "::1:0:0:0:0", false)]
    public void A_64_of_IPv6_counts_as_one_address(string one, string other, bool same) =>
        Assert.Equal(same, AddressKey.Of(IPAddress.Parse(one)) == AddressKey.Of(IPAddress.Parse(other)));

    [Fact]
    public void Rates_are_limited_per_address_and_in_all_first_by_cookies()
    {
        _gate.Dispose();
        InitGateLimits limits = new()
        {
            PerSecondPerAddressBeforeCookie = 2,
            PerSecondPerAddress = 3,
            PerSecondBeforeCookie = 4,
            PerSecond = 5,
        };
        _gate = new InitGate(limits, RandomNumberGenerator.Fill);
        int seed = 0;
        Assert.Equal([.. Enumerable.Repeat(InitDecision.Accept, 2), InitDecision.Reply], Three(1));
        Assert.Equal([InitDecision.Accept, InitDecision.Accept, InitDecision.Reply], Three(2));
        Assert.Equal(Enumerable.Repeat(InitDecision.Reply, 3), Three(3));
        Assert.Equal([InitDecision.Accept, InitDecision.Accept, InitDecision.Accept, InitDecision.Drop], FourWithCookie(1));
        Assert.Equal([InitDecision.Accept, InitDecision.Accept, InitDecision.Drop, InitDecision.Drop], FourWithCookie(2));
        Assert.Equal(3, _gate.Counters.TooFast);
        // A quarter of a second later there is one more in all, without a cookie.
        Assert.Equal(InitDecision.Accept, Decide(4, Make(seed++), out _, out _, 250));
        Assert.Equal(InitDecision.Reply, Decide(5, Make(seed++), out _, out _, 250));

        InitDecision[] Three(uint address) =>
            [.. Enumerable.Range(0, 3).Select(_ => Decide(address, Make(seed++), out InitTicket _, out byte[] _))];
        InitDecision[] FourWithCookie(uint address) =>
            [.. Enumerable.Range(0, 4).Select(_ => Decide(address, WithCookie(address, seed++), out InitTicket _, out byte[] _))];
    }

    [Fact]
    public void What_is_no_first_request_is_dropped()
    {
        byte[] good = Make(1);
        (int Offset, byte Value)[] changes =
        [
            (18, (byte)ExchangeType.IkeAuth), (19, (byte)IkeHeaderFlags.None), (19, (byte)(IkeHeaderFlags.Initiator | IkeHeaderFlags.Response)),
            (23, 1), (15, 1), (16, (byte)PayloadType.KeyExchange), (16, (byte)PayloadType.None), (16, (byte)PayloadType.Encrypted), (31, 255),
        ];
        foreach ((int offset, byte value) in changes)
        {
            byte[] bad = [.. good];
            bad[offset] = value;
            Assert.Equal(InitDecision.Drop, Decide(1, bad, out _, out _));
        }
        byte[] noSpi = [.. new byte[8], .. good[8..]];
        Assert.Equal(InitDecision.Drop, Decide(1, noSpi, out _, out _));
        Assert.Equal(changes.Length + 1, _gate.Counters.Malformed);
    }

    [Fact]
    public void A_version_to_come_is_told_ours_at_a_bounded_rate()
    {
        byte[] request = Make(1);
        request[17] = 0x30;
        Assert.Equal(IkeParseError.UnsupportedMajorVersion, IkeHeader.Parse(request, out IkeHeader header));
        Assert.True(_gate.TryRefuseVersion(header, 0, out byte[] reply));
        IkeHeader answer = HeaderOf(reply);
        Assert.Equal(header with { Flags = IkeHeaderFlags.Response, NextPayload = PayloadType.Notify }, answer);
        Assert.True(IkePayloads.Parse(answer.NextPayload, reply.AsSpan(IkeHeader.Size), out IkePayloads payloads).IsOk);
        Assert.Equal(NotifyType.InvalidMajorVersion, Assert.Single(payloads.Notifications).NotifyType);
        // There is no answer to an answer (RFC 7296 §2.21).
        Assert.False(_gate.TryRefuseVersion(header with { Flags = IkeHeaderFlags.Response }, 0, out _));
        Assert.Equal(s_limits.RefusalsPerSecond - 1, Enumerable.Range(0, 100).Count(_ => _gate.TryRefuseVersion(header, 0, out byte[] _)));
        Assert.Equal(s_limits.RefusalsPerSecond, _gate.Counters.VersionsRefused);
    }

    [Fact]
    public void A_request_that_is_asked_for_a_cookie_leaves_nothing_behind()
    {
        for (int i = 0; i < 10; i++)
            AcceptAndOpen((uint)i, Make(i));
        byte[][] requests = [.. Enumerable.Range(0, 100).Select(i => Make(1_000 + i))];
        for (uint address = 0; address < 10_000; address++)
        {
            byte[] request = requests[address % 100];
            Assert.Equal(InitDecision.Reply, Decide(0x0A000000 + address, request, out _, out byte[] demand));
            Assert.InRange(demand.Length, 1, request.Length - 1);
        }
        Assert.Equal((10, 10_000L), (_gate.HalfOpenCount, _gate.Counters.CookiesDemanded));
    }

    /// <summary>
    /// A request with the cookie that the gate would demand for it: asked for through another gate's eyes it would be refused.
    /// </summary>
    private byte[] WithCookie(uint address, int seed)
    {
        byte[] request = Make(seed, new byte[StatelessCookie.Length]);
        Assert.Equal(InitDecision.Reply, Decide(address, request, out _, out byte[] demand));
        return Make(seed, CookieOf(demand, request));
    }

    private void AcceptAndOpen(uint address, byte[] request, long now = 0)
    {
        Assert.Equal(InitDecision.Accept, Decide(address, request, out InitTicket ticket, out _, now));
        _gate.Open(ticket, ++_spi, [0], now);
    }

    private InitDecision Decide(uint address, byte[] request, out InitTicket ticket, out byte[] reply, long now = 0) =>
        _gate.Decide(Endpoint(address), HeaderOf(request), request, now, out ticket, out reply);
}
