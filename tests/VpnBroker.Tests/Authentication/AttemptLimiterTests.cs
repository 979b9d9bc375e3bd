using System.Net;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.Tests.Sessions;

namespace VpnBroker.Tests.Authentication;

public class AttemptLimiterTests
{
    private static readonly LimitsConfig s_limits = new() { AttemptsPerAddress = 3, BackoffSeconds = 10 };
    private static readonly IPAddress s_address = IPAddress.Parse("192.0.2.1");

    private readonly ManualClock _clock = new();
    private readonly AttemptLimiter _limiter;

    public AttemptLimiterTests() => _limiter = new AttemptLimiter(_clock);

    [Fact]
    public void An_address_with_too_many_failures_waits_longer_each_time()
    {
        for (int i = 0; i < 2; i++)
            Fail();
        Assert.True(_limiter.MayTry(s_address, out _));
        foreach (int seconds in new[] { 10, 20, 40 })
        {
            Fail();
            Assert.False(_limiter.MayTry(s_address, out TimeSpan wait));
            Assert.Equal(TimeSpan.FromSeconds(seconds), wait);
            _clock.Advance(wait);
            Assert.True(_limiter.MayTry(s_address, out _));
        }
        Assert.True(_limiter.MayTry(IPAddress.Parse("192.0.2.2"), out _));
    }

    [Fact]
    public void The_wait_ends_at_an_hour_and_failures_are_forgotten_an_hour_later()
    {
        for (int i = 0; i < 100; i++)
            Fail();
        Assert.False(_limiter.MayTry(s_address, out TimeSpan wait));
        Assert.Equal(AttemptLimiter.MaxWait, wait);
        _clock.Advance(2 * AttemptLimiter.MaxWait + TimeSpan.FromSeconds(1));
        _limiter.Sweep();
        Fail();
        Assert.True(_limiter.MayTry(s_address, out _));
    }

    [Fact]
    public void A_success_clears_the_address()
    {
        Fail();
        Fail();
        _limiter.Note(s_address, success: true, s_limits);
        Fail();
        Assert.True(_limiter.MayTry(s_address, out _));
    }

    [Fact]
    public void An_ipv6_prefix_of_64_bits_counts_as_one_address()
    {
        for (int i = 0; i < 3; i++)
            _limiter.Note(IPAddress.Parse($"2001:db8::{i}"), success: false, s_limits);
        Assert.False(_limiter.MayTry(IPAddress.Parse("2001:db8::ffff"), out _));
        Assert.True(_limiter.MayTry(IPAddress.Parse("2001:db8:0:1::1"), out _));
    }

    private void Fail() => _limiter.Note(s_address, success: false, s_limits);
}
