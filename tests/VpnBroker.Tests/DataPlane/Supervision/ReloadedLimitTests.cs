using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Supervision;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Supervision;

/// <summary>Limits that a reload brings, for tunnels that live and packets that wait, by a simulated clock. 8 Mb/s are 1,000 packets per second.</summary>
public sealed class ReloadedLimitTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void AUsersLimit_ComesChangesAndGoes_AndNoPacketIsLost(int connections)
    {
        using var bed = new UserLimitBed(Shaped(null), lcores: 2);
        UserFlow[] flows = [.. Enumerable.Range(0, connections).Select(i => bed.Connect("alice", i))];
        // Ten packets at a time, always: they wait whenever a limit changes.
        foreach (UserFlow flow in flows)
            flow.Window = 10;
        Assert.True(bed.Measure(1, flows).Sum() > 9_000);
        foreach ((string? limit, double expected) in ((string?, double)[])[("8M", 1_000), ("2M", 250), ("16M", 2_000), ("8000M", 10_000 * connections), (null, 10_000 * connections), ("8M", 1_000)])
        {
            bed.Reload(Shaped(limit));
            bed.Run(1_500);
            Assert.InRange(bed.Measure(2, flows).Sum(), expected * 0.97, expected * 1.02);
        }
        AssertNothingLost(bed, flows);
        bed.Reload(Shaped(null));
        bed.Run(100);
        Assert.False(bed.IsAtWork);
    }

    [Fact]
    public void Ports_AreTheBottleneckOfNow()
    {
        using var bed = new UserLimitBed(new TrafficConfig { TargetMilliseconds = 0, Outside = Rate("16M") }, lcores: 2);
        UserFlow first = bed.Connect("alice"), second = bed.Connect("bob", 1);
        first.Window = second.Window = 10;
        bed.Run(1_000);
        Assert.InRange(bed.Measure(2, first, second).Sum(), 1_960, 2_020);
        bed.Reload(new TrafficConfig { TargetMilliseconds = 0, Outside = Rate("4M") });
        bed.Run(1_000);
        Assert.InRange(bed.Measure(2, first, second).Sum(), 480, 510);
        bed.Reload(new TrafficConfig { TargetMilliseconds = 0 });
        Assert.InRange(bed.Measure(1, first, second).Sum(), 19_000, 20_000);
        AssertNothingLost(bed, first, second);
        Assert.False(bed.IsAtWork);
    }

    [Fact]
    public void AClasssPolice_AndAUsersWeight_AreThoseOfNow()
    {
        static TrafficConfig Of(string? police, int weight, string? outside = null) => new()
        {
            TargetMilliseconds = 0,
            Outside = outside == null ? default : Rate(outside),
            Classes = [new TrafficClassConfig { Name = "all", Police = police == null ? default : Rate(police) }],
            Users = [new TrafficUsersConfig { Users = ["alice"], Weight = weight }],
        };
        using var bed = new UserLimitBed(Of(null, 1));
        UserFlow alice = bed.Connect("alice"), bob = bed.Connect("bob");
        alice.Down = 2;
        Assert.InRange(bed.Measure(1, alice)[0], 1_995, 2_000);
        bed.Reload(Of("4M", 1));
        Assert.InRange(bed.Measure(2, alice)[0], 495, 510);
        bed.Reload(Of(null, 3, "8M"));
        (alice.Down, bob.Down) = (2, 2);
        bed.Run(500);
        double[] rates = bed.Measure(2, alice, bob);
        Assert.InRange(rates[0] / rates.Sum(), 0.73, 0.77);
        Assert.InRange(rates.Sum(), 990, 1_010);
    }

    [Fact]
    public void AnEspTunnelOfOneLcore_GetsItsNewLimit_AndUsesNoSequenceNumberForNothing()
    {
        static TrafficConfig Of(params TrafficTunnelsConfig[] tunnels) => new() { TargetMilliseconds = 0, Tunnels = tunnels };
        using var link = new EspForwardingTests.EspLink(traffic: Of());
        using var bed = new UserLimitBed([link.Users], [new SharedTunnel(0, "dc", [0])]);
        link.Users.Context.Queues!.OpenEsp(0, link.Users.Context.Traffic!.OfTunnel("dc", 1));
        UserFlow user = bed.Connect("alice");
        byte[] packet = InnerPackets.Udp("10.8.0.10", "10.20.0.1", 1_000);
        bed.Turn = () =>
        {
            user.Client.SendPacket(packet);
            link.Exchange();
        };
        int Passed()
        {
            int before = link.Network.Tun.Outgoing.Count;
            bed.Run(500);
            return link.Network.Tun.Outgoing.Count - before;
        }
        Assert.Equal(500, Passed());
        bed.Reload(Of(new TrafficTunnelsConfig { Names = ["dc"], Send = new TrafficLimitConfig { Shape = Rate("4M") } }));
        Assert.InRange(Passed(), 245, 260);
        bed.Reload(Of());
        bed.Run(10);
        Assert.Equal(500, Passed());
        unsafe
        {
            Assert.Equal((ulong)link.Network.Tun.Outgoing.Count, link.Users.Pairs[0]->Outbound->Sequence);
        }
        Assert.Equal(link.Users.Counters.Users.ReceivedPackets, (ulong)link.Network.Tun.Outgoing.Count);
    }

    [Fact]
    public async Task AStop_LeavesNobodyWaiting()
    {
        var bed = new UserLimitBed(Shaped("8M"));
        Task done = bed.BeginReload(Shaped("4M"));
        bed.Dispose();
        await Assert.ThrowsAsync<InvalidOperationException>(() => done);
    }

    private static TrafficConfig Shaped(string? download) => new()
    {
        TargetMilliseconds = 0,
        Users = [new TrafficUsersConfig { Download = new TrafficLimitConfig { Shape = download == null ? default : Rate(download) } }],
    };

    private static void AssertNothingLost(UserLimitBed bed, params UserFlow[] flows)
    {
        foreach (UserFlow flow in flows)
        {
            flow.Window = 0;
            for (DropReason reason = DropReason.None + 1; reason < DropReason.Count; reason++)
                Assert.Equal(0ul, flow.Bed.Counters.Dropped(reason));
        }
        bed.Run(200);
        Assert.All(flows, flow => Assert.Equal(flow.Sent, flow.Arrived));
    }

    private static TrafficRate Rate(string text) =>
        VpnBroker.Configuration.Parsing.TrafficValues.TryParseRate(text, out TrafficRate rate) ? rate : throw new ArgumentException(text);
}
