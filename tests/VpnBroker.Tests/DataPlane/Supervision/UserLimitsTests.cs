using System.Net;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Queueing;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.Tests.DataPlane.Supervision;

/// <summary>Who has what of a user's limits, without lcores.</summary>
public sealed class UserLimitsTests
{
    private const long Interval = 200_000_000;

    private readonly Dictionary<(int, int), TunnelDemand> _demands = [];
    private readonly List<(int Lcore, int Node)> _given = [];

    [Fact]
    public void Bursts_are_an_equal_part_at_least_and_twice_the_users_at_most()
    {
        UserLimits limits = Make(new TrafficRate { BitsPerSecond = 80_000_000, BurstBytes = 100_000, PacketsPerSecond = 10_000, BurstPackets = 100 });
        Assert.Equal(100_000, limits.Begin("alice", [], 0, 0).SendShape.BurstBytes);
        Assert.Equal((625_000, 50_000, 78, 50), RateOf(limits.Begin("alice", [], 1, 0)));
        limits.Begin("alice", [], 0, 1);
        limits.Begin("alice", [], 1, 1);
        _demands[(0, 0)] = Sent(100_000_000);
        limits.Divide(Interval, Give);
        TrafficRate[] rates = [.. new[] { (0, 0), (1, 0), (0, 1), (1, 1) }.Select(place => limits.Begin("alice", [], place.Item1, place.Item2).SendShape)];
        Assert.Equal((80_000_000, 10_000), (rates.Sum(rate => rate.BitsPerSecond), rates.Sum(rate => rate.PacketsPerSecond)));
        Assert.InRange(rates[0].BitsPerSecond, 79_000_000, 79_100_000);
        Assert.All(rates, rate => Assert.InRange(rate.BurstBytes, 25_000, 100_000));
        Assert.InRange(rates.Sum(rate => rate.BurstBytes), 100_000, 200_000);
        Assert.InRange(rates.Sum(rate => rate.BurstPackets), 100, 200);
    }

    [Fact]
    public void The_last_connection_has_all_again_and_nobody_measures_any_more()
    {
        UserLimits limits = Make(Rate);
        TunnelLimits whole = limits.Begin("alice", [], 0, 0);
        Assert.False(limits.IsDividing);
        limits.Begin("alice", [], 1, 7);
        Assert.True(limits.IsDividing);
        limits.Divide(Interval, Give);
        Assert.Equal([(0, 0), (1, 7)], _given);
        // Nothing has changed: nobody is told.
        limits.Divide(Interval, Give);
        Assert.Equal(2, _given.Count);
        limits.End(0, 0);
        limits.End(0, 0);
        Assert.True(limits.IsDividing);
        limits.Divide(Interval, Give);
        Assert.Equal((1, 7), _given[^1]);
        Assert.False(limits.IsDividing);
        Assert.True(whole.GivesAs(limits.Begin("alice", [], 1, 7)));
        limits.End(1, 7);
        Assert.True(whole.GivesAs(limits.Begin("alice", [], 1, 8)));
        // Both of several at a time.
        limits.Begin("alice", [], 0, 0);
        limits.End(0, 0);
        limits.End(1, 8);
        Assert.False(limits.IsDividing);
    }

    [Fact]
    public void Groups_that_have_changed_count_as_the_newest_connection_has_them()
    {
        UserLimits limits = Make(Rate);
        Assert.Equal(8_000_000, limits.Begin("alice", [], 0, 0).SendShape.BitsPerSecond);
        limits.Begin("alice", ["slow"], 0, 1);
        limits.Divide(Interval, Give);
        Assert.Equal(1_000_000, limits.Begin("alice", [], 0, 0).SendShape.BitsPerSecond + limits.Begin("alice", [], 0, 1).SendShape.BitsPerSecond);
        Assert.False(limits.Begin("alice", ["free"], 0, 2).IsLimited);
        limits.Divide(Interval, Give);
        Assert.False(limits.Begin("alice", [], 0, 0).IsLimited || limits.IsDividing);
        limits.End(0, 2);
        limits.End(0, 1);
        limits.Divide(Interval, Give);
        Assert.Equal(8_000_000, limits.Begin("alice", [], 0, 0).SendShape.BitsPerSecond);
        Assert.False(limits.IsDividing);
    }

    /// <summary>A slot's counters are those of the tunnel before until the lcore has opened the new one.</summary>
    [Fact]
    public void Counters_that_begin_anew_are_counted_from_nothing()
    {
        var before = new OfferedTraffic(5_000_000, 5_000, 100);
        Assert.Equal((8_000_000L, 1_000L), new OfferedTraffic(5_200_000, 5_200, 100).Since(before, Interval, 0));
        Assert.Equal((8_000_000L, 1_000L), new OfferedTraffic(200_000, 200, 0).Since(before, Interval, 0));
        // What waited and is dropped has come only once.
        Assert.Equal((0L, 0L), new OfferedTraffic(4_950_000, 4_950, 150).Since(before, Interval, 0));
        // A reading that was a packet off.
        Assert.Equal((0L, 0L), new OfferedTraffic(4_999_000, 4_999, 100).Since(before, Interval, 0));
        Assert.Equal((8_000_000L, 1_000L), new OfferedTraffic(5_100_000, 5_100, 200).Since(before, Interval, 0));
        Assert.Equal((8_480_000L, 1_000L), new OfferedTraffic(5_200_000, 5_200, 100).Since(before, Interval, 60));
    }

    [Fact]
    public void What_the_slots_last_tunnel_has_sent_is_not_the_new_ones()
    {
        UserLimits limits = Make(Rate);
        limits.Begin("alice", [], 0, 0);
        limits.Begin("alice", [], 0, 1);
        limits.Divide(Interval, Give);
        _demands[(0, 2)] = Sent(1_000_000_000);
        limits.Begin("alice", [], 0, 2);
        (_demands[(0, 0)], _demands[(0, 1)]) = (Sent(1_000_000), Sent(1_000_000));
        limits.Divide(Interval, Give);
        Assert.InRange(limits.Begin("alice", [], 0, 2).SendShape.BitsPerSecond, 41_000, 42_000);
    }

    [Fact]
    public void What_tunnels_send_here_is_divided_too()
    {
        var limit = new TrafficLimitConfig { Police = Rate };
        static TrafficPlan PlanOf(TrafficConfig traffic) => TrafficPlan.Of(new BrokerConfig { Traffic = traffic, Lcores = new LcoreConfig { Cpus = [-1, -1] } })!;
        TrafficPlan plan = PlanOf(new TrafficConfig { Users = [new TrafficUsersConfig { Upload = limit }] });
        Assert.False(plan.HasShares);
        plan.Take(new TrafficConfig { Tunnels = [new TrafficTunnelsConfig { Receive = limit }] });
        Assert.True(plan.HasShares);
        Assert.False(plan.OfUser("alice", []).IsLimited);
    }

    private static TrafficRate Rate => new() { BitsPerSecond = 8_000_000, BurstBytes = 10_000 };

    private static (long, long, long, long) RateOf(in TunnelLimits limits) =>
        (limits.SendShape.BitsPerSecond, limits.SendShape.BurstBytes, limits.SendShape.PacketsPerSecond, limits.SendShape.BurstPackets);

    private static TunnelDemand Sent(long bytes) => new() { SendShape = new OfferedTraffic(bytes, bytes / 1_000, 0) };

    private UserLimits Make(TrafficRate rate) => new(
        TrafficPlan.Of(new BrokerConfig
        {
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/24") }],
            Traffic = new TrafficConfig
            {
                Users =
                [
                    new TrafficUsersConfig { Groups = ["slow"], Download = new TrafficLimitConfig { Shape = Rate with { BitsPerSecond = 1_000_000 } } },
                    new TrafficUsersConfig { Groups = ["free"] },
                    new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = rate } },
                ],
            },
        })!,
        (lcore, node) => _demands.GetValueOrDefault((lcore, node)));

    private void Give(int lcore, TunnelShare share) => _given.Add((lcore, share.Node));
}
