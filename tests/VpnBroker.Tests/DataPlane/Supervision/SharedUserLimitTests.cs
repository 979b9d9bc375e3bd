using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Supervision;

/// <summary>A user's limit holds for all connections of the user's together, by a simulated clock. 8 Mb/s are 1,000 packets of 1,000 bytes per second.</summary>
public sealed unsafe class SharedUserLimitTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TwoConnections_ThatWantMore_HaveHalfOfTheLimitEach(int lcores)
    {
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("alice", lcores - 1);
        (first.Down, second.Down) = (2, 2);
        // From the first packet on.
        double[] begin = bed.Measure(1, first, second);
        Assert.InRange(begin.Sum(), 980, 1_050);
        double[] rates = bed.Measure(3, first, second);
        Assert.InRange(rates.Sum(), 980, 1_020);
        Assert.All(rates, rate => Assert.InRange(rate, 480, 520));
    }

    [Theory]
    [InlineData(2, 0.97)]
    [InlineData(8, 0.96)]
    public void ConnectionsThatAreIdle_LeaveTheLimitToTheOneThatIsNot(int connections, double least)
    {
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores: 2);
        UserFlow[] flows = [.. Enumerable.Range(0, connections).Select(i => bed.Connect("alice", i % 2))];
        flows[0].Down = 2;
        bed.Run(500);
        Assert.InRange(Assert.Single(bed.Measure(2, flows[0])), 1_000 * least, 1_020);
        // Which of them is it next?
        flows[0].Down = 0;
        flows[^1].Down = 2;
        bed.Run(600);
        Assert.InRange(Assert.Single(bed.Measure(2, flows[^1])), 1_000 * least, 1_020);
    }

    [Fact]
    public void ConnectionThatWantsLittle_GetsIt_AndTheOtherOneTheRest()
    {
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores: 2);
        UserFlow call = bed.Connect("alice"), download = bed.Connect("alice", 1);
        (call.Down, download.Down) = (0.1, 2);
        bed.Run(1_000);
        double[] rates = bed.Measure(3, call, download);
        Assert.InRange(rates[0], 98, 102);
        Assert.InRange(rates.Sum(), 960, 1_020);
        // A queue of a second's work would be the download's own: the call does not wait in it.
        Assert.InRange(call.Bed.Context.Queues!.Outside.ReadTunnel(call.Client.Slot).LargestDelayNanoseconds, 0, 30_000_000);
    }

    [Fact]
    public void ConnectionsComeAndGo()
    {
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores: 2);
        UserFlow first = bed.Connect("alice");
        first.Down = 2;
        Assert.InRange(Assert.Single(bed.Measure(1, first)), 995, 1_012);
        Assert.Equal(0, bed.Taken);

        UserFlow second = bed.Connect("alice", 1);
        second.Down = 2;
        Assert.InRange(bed.Measure(1, first, second).Sum(), 980, 1_030);
        double[] rates = bed.Measure(2, first, second);
        Assert.All(rates, rate => Assert.InRange(rate, 480, 520));

        bed.Disconnect(second);
        bed.Run(250);
        Assert.InRange(Assert.Single(bed.Measure(2, first)), 995, 1_005);
        Assert.False(bed.IsAtWork);
        // The slot's next tunnel is another user's, with all that is that user's.
        UserFlow third = bed.Connect("bob", 1);
        third.Down = 2;
        Assert.InRange(Assert.Single(bed.Measure(1, third)), 995, 1_012);
    }

    [Fact]
    public void UsersWithoutLimits_AndUsersWithOneConnection_AreLeftAlone()
    {
        using var bed = new UserLimitBed(new TrafficConfig
        {
            Users = [new TrafficUsersConfig { Users = ["alice", "carol"], Download = new TrafficLimitConfig { Shape = Rate("8M") } }],
        }, lcores: 2);
        UserFlow alice = bed.Connect("alice"), carol = bed.Connect("carol"), bob = bed.Connect("bob"), again = bed.Connect("bob", 1);
        foreach (UserFlow flow in (UserFlow[])[alice, carol, bob, again])
            flow.Down = 2;
        double[] rates = bed.Measure(2, alice, carol, bob, again);
        Assert.All(rates[..2], rate => Assert.InRange(rate, 995, 1_012));
        Assert.All(rates[2..], rate => Assert.InRange(rate, 1_995, 2_000));
        Assert.Equal((0, false), (bed.Taken, bed.IsAtWork));
    }

    [Fact]
    public void ThePolice_IsTheUsersToo_InBothDirections()
    {
        TrafficConfig traffic = new()
        {
            Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Police = Rate("8M") }, Upload = new TrafficLimitConfig { Police = Rate("4M") } }],
        };
        using var bed = new UserLimitBed(traffic, lcores: 2);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("alice", 1);
        (first.Down, second.Down) = (2, 1);
        bed.Run(400);
        double[] down = bed.Measure(2, first, second);
        Assert.InRange(down.Sum(), 970, 1_020);
        Assert.All(down, rate => Assert.InRange(rate, 470, 530));
        (first.Down, second.Down, first.Up, second.Up) = (0, 0, 1, 1);
        bed.Run(400);
        double[] up = bed.Measure(2, first, second);
        Assert.InRange(up.Sum(), 485, 510);
        Assert.All(up, rate => Assert.InRange(rate, 235, 265));
    }

    [Theory]
    [InlineData("4M")]
    [InlineData("500p")]
    [InlineData("100M 500p")]
    public void Uploads_AreShapedTogether_ByBytesAndByPackets(string rate)
    {
        using var bed = new UserLimitBed(new TrafficConfig
        {
            TargetMilliseconds = 0,
            Users = [new TrafficUsersConfig { Upload = new TrafficLimitConfig { Shape = Rate(rate) } }],
        }, lcores: 2);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("alice", 1), idle = bed.Connect("alice");
        (first.Up, second.Up) = (1, 1);
        bed.Run(600);
        double[] rates = bed.Measure(3, first, second, idle);
        Assert.InRange(rates.Sum(), 485, 510);
        Assert.All(rates[..2], one => Assert.InRange(one, 235, 260));
    }

    /// <summary>Such a sender never shows what it would like to have: it sends as fast as it is let.</summary>
    [Fact]
    public void SendersThatAdapt_ComeToEqualPartsInTwoSeconds()
    {
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores: 2);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("alice", 1);
        first.Window = 20;
        bed.Run(1_000);
        second.Window = 20;
        bed.Run(2_000);
        double[] rates = bed.Measure(3, first, second);
        Assert.InRange(rates.Sum(), 970, 1_020);
        Assert.All(rates, rate => Assert.InRange(rate, 450, 550));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void WhateverConnectionsWant_TheSumIsTheLimit(int seed)
    {
        const int seconds = 20;
        var random = new Random(seed);
        using var bed = new UserLimitBed(Download(shape: "8M"), lcores: 2);
        UserFlow[] flows = [.. Enumerable.Range(0, 4).Select(i => bed.Connect("alice", i % 2))];
        flows[0].Window = 20;
        bed.Run(1_000);
        double sum = 0;
        for (int second = 0; second < seconds; second++)
        {
            long before = flows.Sum(flow => flow.Arrived);
            for (int part = 0; part < 4; part++)
            {
                // The others come, go, and want more or less; the first one adapts.
                flows[random.Next(1, flows.Length)].Down = random.Next(4) switch { 0 => 0, 1 => 0.1, 2 => 0.4, _ => 2 };
                bed.Run(250);
            }
            long arrived = flows.Sum(flow => flow.Arrived) - before;
            Assert.InRange(arrived, 0, 1_020);
            sum += arrived;
        }
        Assert.InRange(sum / seconds, 950, 1_005);
    }

    /// <summary>What goes around a packet counts for a shaper: it must not look as if there were room.</summary>
    [Fact]
    public void OverheadOfSmallPackets_DoesNotKeepAConnectionDown()
    {
        using var bed = new UserLimitBed(Download(shape: "16M") with { OverheadBytes = 1_000 }, lcores: 2);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("alice", 1);
        first.Window = second.Window = 20;
        bed.Run(2_000);
        double[] rates = bed.Measure(3, first, second);
        Assert.InRange(rates.Sum(), 970, 1_020);
        Assert.All(rates, rate => Assert.InRange(rate, 450, 550));
    }

    /// <summary>One connection by openconnect, and one by IKEv2, which is an ESP tunnel to its lcore.</summary>
    [Fact]
    public void ConnectionsOfBothKinds_ShareTheLimit()
    {
        using var link = new EspForwardingTests.EspLink(traffic: new TrafficConfig
        {
            TargetMilliseconds = 0,
            Classes = [new TrafficClassConfig { Name = "all", QueuePackets = 50 }],
            Users = [new TrafficUsersConfig { Users = ["alice"], Download = new TrafficLimitConfig { Shape = Rate("8M") } }],
        });
        using var bed = new UserLimitBed([link.Users]) { Turn = link.Exchange };
        UserFlow tls = bed.Connect("alice"), other = bed.Connect("bob");
        QueueStage queues = link.Users.Context.Queues!;
        queues.OpenEsp(0, bed.Limits.Begin("alice", [], 0, queues.NodeOfEsp(0)));
        byte[] toTls = InnerPackets.Udp("10.20.0.1", "10.8.0.10", 1_000), toEsp = InnerPackets.Udp("10.8.0.11", "10.20.0.1", 1_000);
        bed.Turn = () =>
        {
            for (int i = 0; i < 2; i++)
            {
                link.Network.Tun.Incoming.Enqueue(toTls);
                other.Client.SendPacket(toEsp);
            }
            link.Network.Now = link.Users.Now;
            link.Exchange();
        };
        bed.Run(500);
        link.Network.Tun.Outgoing.Clear();
        double rate = Assert.Single(bed.Measure(2, tls)), rateOfEsp = link.Network.Tun.Outgoing.Count / 2.0;
        Assert.InRange(rate + rateOfEsp, 975, 1_020);
        Assert.InRange(rate, 475, 525);
        // A rekey asks once more: it gets what there is, and no other connection.
        Assert.InRange(bed.Limits.Begin("alice", [], 0, queues.NodeOfEsp(0)).SendShape.BitsPerSecond, 3_800_000, 4_200_000);
    }

    private static TrafficConfig Download(string shape) => new()
    {
        TargetMilliseconds = 0,
        Classes = [new TrafficClassConfig { Name = "all", QueuePackets = 50 }],
        Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = Rate(shape) } }],
    };

    private static TrafficRate Rate(string text) =>
        VpnBroker.Configuration.Parsing.TrafficValues.TryParseRate(text, out TrafficRate rate) ? rate : throw new ArgumentException(text);
}
