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
    public void A_user_who_is_guessed_at_from_many_addresses_waits_a_little_and_others_do_not()
    {
        LimitsConfig limits = s_limits with { AttemptsPerUser = 5 };
        for (int i = 0; i < 5; i++)
        {
            Assert.True(_limiter.MayTry(s_address, "alice", out _));
            _limiter.Note(new IPAddress([198, 51, 100, (byte)i]), "alice", success: false, limits);
        }
        Assert.False(_limiter.MayTry(s_address, "alice", out TimeSpan wait));
        Assert.Equal(TimeSpan.FromSeconds(10), wait);
        Assert.True(_limiter.MayTry(s_address, "bob", out _));
        Assert.True(_limiter.MayTry(s_address, out _));

        // However long it goes on, the user's own turn comes.
        for (int i = 0; i < 100; i++)
            _limiter.Note(new IPAddress([198, 51, 101, (byte)i]), "alice", success: false, limits);
        Assert.False(_limiter.MayTry(s_address, "alice", out wait));
        Assert.Equal(AttemptLimiter.MaxUserWait, wait);
        _clock.Advance(wait);
        Assert.True(_limiter.MayTry(s_address, "alice", out _));
        _limiter.Note(s_address, "alice", success: true, limits);
        _limiter.Note(new IPAddress([198, 51, 102, 1]), "alice", success: false, limits);
        Assert.True(_limiter.MayTry(s_address, "alice", out _));
    }

    [Fact]
    public void The_longer_wait_of_address_and_user_counts_and_old_failures_are_forgotten()
    {
        LimitsConfig limits = s_limits with { AttemptsPerUser = 1 };
        for (int i = 0; i < 3; i++)
            _limiter.Note(s_address, "alice", success: false, limits);
        Assert.False(_limiter.MayTry(s_address, "alice", out TimeSpan wait));
        Assert.Equal(TimeSpan.FromSeconds(40), wait);
        _clock.Advance(AttemptLimiter.MaxWait + TimeSpan.FromMinutes(2));
        _limiter.Sweep();
        Assert.True(_limiter.MayTry(s_address, "alice", out _));
        _limiter.Note(s_address, "alice", success: false, limits with { AttemptsPerUser = 2 });
        Assert.True(_limiter.MayTry(s_address, "alice", out _));
    }

    [Fact]
    public void A_success_takes_the_users_own_failures_back()
    {
        Fail();
        Fail();
        _limiter.Note(s_address, "alice", success: true, s_limits);
        Fail();
        Assert.True(_limiter.MayTry(s_address, out _));
    }

    [Fact]
    public void A_success_does_not_pay_for_guesses_of_other_users_passwords()
    {
        for (int i = 0; i < 3; i++)
        {
            Assert.True(_limiter.MayTry(s_address, out _));
            Fail("bob");
            Fail("mallory");
            _limiter.Note(s_address, "mallory", success: true, s_limits);
            _limiter.Note(s_address, "mallory", success: true, s_limits);
            _clock.Advance(TimeSpan.FromSeconds(i == 1 ? 10 : 0));
        }
        Assert.False(_limiter.MayTry(s_address, out TimeSpan wait));
        Assert.True(wait > TimeSpan.Zero);
    }

    [Fact]
    public void A_success_changes_nothing_where_it_has_no_failures()
    {
        for (int i = 0; i < 100; i++)
            Fail($"user{i}");
        Assert.False(_limiter.MayTry(s_address, out TimeSpan before));
        _limiter.Note(s_address, "user99", success: true, s_limits);
        _limiter.Note(IPAddress.Parse("192.0.2.9"), "user1", success: true, s_limits);
        Assert.False(_limiter.MayTry(s_address, out TimeSpan after));
        Assert.Equal(before, after);
    }

    [Fact]
    public void An_ipv6_prefix_of_64_bits_counts_as_one_address()
    {
        for (int i = 0; i < 3; i++)
            _limiter.Note(IPAddress.Parse($"2001:db8::{i}"), "alice", success: false, s_limits);
        Assert.False(_limiter.MayTry(IPAddress.Parse("2001:db8::ffff"), out _));
        Assert.True(_limiter.MayTry(IPAddress.Parse("2001:db8:0:1::1"), out _));
    }

    private void Fail(string user = "alice") => _limiter.Note(s_address, user, success: false, s_limits);
}
