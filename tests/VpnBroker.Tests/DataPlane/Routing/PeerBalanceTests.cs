using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

/// <summary>What measured load does to the parts of new flows, by a clock of the tests' own: it evens out, keeps within bounds, and never swings.</summary>
public sealed class PeerBalanceTests
{
    /// <summary>A flow's bytes per second.</summary>
    private const double FlowRate = 125_000;

    [Theory]
    [InlineData(1, 1, 0.5)]
    [InlineData(3, 1, 0.75)]
    [InlineData(1, 9, 0.1)]
    public void With_loads_as_the_weights_say_shares_are_the_weights(double first, double second, double share)
    {
        var world = new World(first, second);
        world.Run(400, newFlows: 400, life: 5);
        Assert.All(world.Shares.Skip(30), now => Assert.InRange(now, share * 0.93, share * 1.07));
        Assert.InRange(world.Shares.Average(), share * 0.99, share * 1.01);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(60)]
    public void Elephants_on_one_peer_bring_new_flows_to_the_other_until_they_are_gone(double life)
    {
        var world = new World(1, 1);
        world.Run(120, newFlows: 200, life);
        // As much as all others together.
        world.Elephants = 200 * life;
        world.Run(400, newFlows: 200, life);
        double[] settled = [.. world.Shares[^150..]];
        Assert.All(settled, share => Assert.InRange(share, 0.25, 0.42));
        Assert.InRange(settled.Max() - settled.Min(), 0, 0.08);
        // Without the shift it would be 0.75.
        Assert.InRange(world.Loads[^150..].Average(load => load[0] / load.Sum()), 0.6, 0.7);

        world.Elephants = 0;
        world.Run(400, newFlows: 200, life);
        Assert.All(world.Shares[^150..], share => Assert.InRange(share, 0.46, 0.54));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(20)]
    [InlineData(100)]
    [InlineData(300)]
    public void After_a_step_shares_come_to_rest_without_swinging(double life)
    {
        // No chance in it: each second's flows are divided exactly, and end evenly.
        var balance = new PeerBalance(2);
        double[] load = [1000, 1000];
        var shares = new List<double>();
        for (int second = 0; second < 3000; second++)
        {
            double share = balance.FactorOf(0) / (balance.FactorOf(0) + balance.FactorOf(1));
            shares.Add(share);
            load[0] += (share * 2000 / life) - (load[0] / life);
            load[1] += ((1 - share) * 2000 / life) - (load[1] / life);
            balance.Measure(1, [1, 1], [new PeerLoad((load[0] + 2000) * 1000, false), new PeerLoad(load[1] * 1000, false)]);
        }
        double rest = shares[^1];
        Assert.InRange(rest, 0.25, 0.42);
        Assert.All(shares[^500..], share => Assert.Equal(rest, share, 0.005));
        // It may go too far once, while long flows that were there before end; it does not come back beyond where it rests, and beyond again.
        int[] turns = [.. shares.Where(share => Math.Abs(share - rest) > 0.01).Select(share => Math.Sign(share - rest))];
        Assert.True(turns.Zip(turns.Skip(1)).Count(pair => pair.First != pair.Second) <= 1, $"swings of {life} s");
    }

    [Fact]
    public void A_peer_whose_queue_drops_gets_fewer_though_it_carries_little()
    {
        var world = new World(1, 1) { Capacity = 200 };
        world.Run(500, newFlows: 100, life: 10);
        double[] settled = [.. world.Shares[^200..]];
        Assert.All(settled, share => Assert.InRange(share, 0.3, 0.46));
        Assert.InRange(settled.Max() - settled.Min(), 0, 0.08);
    }

    [Fact]
    public void Little_load_is_chance_and_moves_nothing()
    {
        var balance = new PeerBalance(2);
        for (int second = 0; second < 100; second++)
            balance.Measure(1, [1, 1], [new PeerLoad(100_000, false), new PeerLoad(0, false)]);
        Assert.Equal((1.0, 1.0), (balance.FactorOf(0), balance.FactorOf(1)));
        for (int second = 0; second < 100; second++)
            balance.Measure(1, [1, 1], [new PeerLoad(1_000_000, false), new PeerLoad(0, false)]);
        Assert.InRange(balance.FactorOf(0), 0.3, 0.5);
        Assert.Equal(PeerBalance.Most, balance.FactorOf(1), 0.01);
        for (int second = 0; second < 100; second++)
            balance.Measure(1, [1, 1], [default, default]);
        Assert.Equal(1, balance.FactorOf(0), 0.01);
        Assert.Equal(1, balance.FactorOf(1), 0.01);
    }

    [Fact]
    public void Whatever_is_measured_factors_keep_within_their_bounds_and_all_slots_are_given()
    {
        var random = new Random(6);
        for (int round = 0; round < 100; round++)
        {
            int peers = random.Next(2, PeerGroup.MaximumMembers + 1);
            var balance = new PeerBalance(peers);
            double[] weights = [.. Enumerable.Range(0, peers).Select(_ => (double)random.Next(1, 101))];
            for (int step = 0; step < 50; step++)
            {
                balance.Measure(Math.Pow(1e6, random.NextDouble()) / 1e3, weights, [.. weights.Select(_ => new PeerLoad(
                    random.Next(4) == 0 ? 0 : Math.Pow(1e12, random.NextDouble()), random.Next(3) == 0))]);
                double[] factors = [.. Enumerable.Range(0, peers).Select(balance.FactorOf)];
                Assert.All(factors, factor => Assert.InRange(factor, PeerBalance.Least, PeerBalance.Most));
                Assert.Equal(PeerGroup.Slots, PeerSlots.Divide([.. weights.Zip(factors, (weight, factor) => weight * factor)], PeerGroup.Slots).Sum());
            }
        }
    }

    /// <summary>Two peers, and flows that begin by chance and last for a time by chance; a step is a second.</summary>
    private sealed class World(double first, double second)
    {
        private readonly double[] _weights = [first, second];
        private readonly PeerBalance _balance = new(2);
        private readonly byte[] _slots = [.. Enumerable.Repeat(PeerSlots.Nobody, PeerGroup.Slots)];
        private readonly PriorityQueue<int, double> _ends = new();
        private readonly Random _random = new(8);
        private readonly int[] _flows = new int[2];
        private int _now;

        /// <summary>What the first peer carries besides, in flows.</summary>
        public double Elephants { get; set; }

        /// <summary>How many flows the first peer carries at most: what is more is dropped.</summary>
        public double Capacity { get; init; } = double.MaxValue;

        /// <summary>The first peer's part of new flows, second by second.</summary>
        public List<double> Shares { get; } = [];

        public List<double[]> Loads { get; } = [];

        public void Run(int seconds, int newFlows, double life)
        {
            for (int end = _now + seconds; _now < end; _now++)
            {
                PeerSlots.Move(_slots, PeerSlots.Divide([.. _weights.Select((weight, i) => weight * _balance.FactorOf(i))], _slots.Length));
                Shares.Add(_slots.Count(slot => slot == 0) / (double)_slots.Length);
                for (int i = 0; i < newFlows; i++)
                {
                    int peer = _slots[_random.Next(_slots.Length)];
                    _flows[peer]++;
                    _ends.Enqueue(peer, _now - (life * Math.Log(1 - _random.NextDouble())));
                }
                while (_ends.TryPeek(out int ended, out double time) && time <= _now)
                {
                    _ends.Dequeue();
                    _flows[ended]--;
                }
                double wanted = _flows[0] + Elephants, carried = Math.Min(wanted, Capacity);
                Loads.Add([carried, _flows[1]]);
                _balance.Measure(1, _weights, [new PeerLoad(carried * FlowRate, wanted > carried), new PeerLoad(_flows[1] * FlowRate, false)]);
            }
        }
    }
}
