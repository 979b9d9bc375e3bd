using System.Buffers.Binary;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.TestKit;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Children;

/// <summary>
/// Two data planes with several peers between them that share both prefixes: each side spreads its flows as it likes, so that many answers come
/// by another peer than the questions go by.
/// </summary>
public sealed class EqualPeersTests
{
    private const string NearUser = "10.8.0.10", FarUser = "10.9.0.10", FarUserOfLcore1 = "10.9.128.10", NearUserOfLcore1 = "10.8.128.10";
    private const int Flows = 160, Window = 80, FirstPort = 2000;

    private readonly Dictionary<(TestUser To, int Port), List<int>> _received = [];
    private readonly Dictionary<TestUser, int> _read = [];
    private int _round;

    [Fact]
    public async Task Flows_are_spread_by_weight_and_stay_in_order_while_peers_die_and_come_back()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair a = await bed.ConnectAsync("a", weight: 3);
        ChildPair b = await bed.ConnectAsync("b");
        await AwaitBothAsync(bed, near, NearUser, FarUser);

        for (int round = 0; round < 4; round++)
            Exchange(near, NearUser, far, FarUser);
        Dictionary<int, (ulong Session, string Peer)> first = await WaysAsync(bed);
        Assert.Equal(Flows, first.Count);
        // 120 of 160, and 5.5 of standard deviation.
        Assert.InRange(first.Values.Count(way => way.Peer == "a"), 90, 150);

        // What was a's goes on by b, in the same sessions; what was b's stays.
        await bed.RemoveAsync(a);
        await UntilRoutedAsync(bed, near, "b");
        Exchange(near, NearUser, far, FarUser);
        Exchange(near, NearUser, far, FarUser);
        Dictionary<int, (ulong Session, string Peer)> without = await WaysAsync(bed);
        Assert.All(first, flow => Assert.Equal((flow.Value.Session, "b"), without[flow.Key]));

        // It is back: for new flows.
        a = await bed.ConnectAsync("a", weight: 3);
        await AwaitBothAsync(bed, near, NearUser, FarUser);
        Exchange(near, NearUser, far, FarUser);
        Exchange(near, NearUser, far, FarUser, FirstPort + Flows);
        Assert.Equal(without, await WaysAsync(bed));
        Assert.InRange((await WaysAsync(bed, FirstPort + Flows)).Values.Count(way => way.Peer == "a"), 90, 150);

        // And the other one dies.
        await bed.RemoveAsync(b);
        await UntilRoutedAsync(bed, near, "a");
        Exchange(near, NearUser, far, FarUser);
        Assert.All((await WaysAsync(bed)).Values, way => Assert.Equal("a", way.Peer));
        AssertOrder();
        Assert.Equal(0ul, ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "source-address"));
    }

    [Fact]
    public async Task What_a_peer_has_begun_is_answered_by_that_peer()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair a = await bed.ConnectAsync("a"), b = await bed.ConnectAsync("b");
        await AwaitBothAsync(bed, near, NearUser, FarUser);
        await AwaitBothAsync(bed, far, FarUser, NearUser, bed.Far);
        // Behind the packets of this first round, nothing of before is still on its way.
        Exchange(far, FarUser, near, NearUser);
        IReadOnlyList<EspActivity> before = await bed.Near.Children!.ReadActivityAsync();
        Exchange(far, FarUser, near, NearUser);
        IReadOnlyList<EspActivity> after = await bed.Near.Children!.ReadActivityAsync();
        foreach (ChildPair pair in new[] { a, b })
        {
            ulong received = Of(after).ReceivedPackets - Of(before).ReceivedPackets, sent = Of(after).SentPackets - Of(before).SentPackets;
            Assert.NotEqual(0ul, received);
            Assert.Equal(received, sent);

            EspActivity Of(IReadOnlyList<EspActivity> activities) => activities.Single(activity => activity.InboundSpi == pair.Near);
        }
        AssertOrder();
    }

    [Fact]
    public async Task Flows_that_are_handed_over_to_the_lcore_of_a_peer_s_sa_keep_their_peer()
    {
        await using var bed = new ChildBed(nearLcores: 2, farLcores: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUserOfLcore1, lcore: 1), far = await bed.UserAsync(bed.Far, FarUserOfLcore1, lcore: 1);
        // Whichever peer: all of lcore 1's packets are handed over to lcore 0.
        ChildPair a = await bed.ConnectAsync("a", fallback: true);
        ChildPair b = await bed.ConnectAsync("b", fallback: true);
        await AwaitBothAsync(bed, near, NearUserOfLcore1, FarUserOfLcore1);
        Exchange(near, NearUserOfLcore1, far, FarUserOfLcore1);

        // A third one takes its part of the table, and no flow of before.
        ChildPair c = await bed.ConnectAsync("c", fallback: true, weight: 100);
        await ChildBed.UntilAsync(async () =>
        {
            near.SendPacket(FlowPackets.Udp(NearUserOfLcore1, FarUserOfLcore1, (ushort)(50_000 + _round++), 53));
            return await SentAsync(bed, c) > 0;
        }, "a packet on the new peer");
        // Behind the packets of this round, nothing of before is still on its way.
        Exchange(near, NearUserOfLcore1, far, FarUserOfLcore1);
        ulong sentByA = await SentAsync(bed, a), sentByB = await SentAsync(bed, b), sentByC = await SentAsync(bed, c);
        Exchange(near, NearUserOfLcore1, far, FarUserOfLcore1);
        Assert.Equal(sentByC, await SentAsync(bed, c));
        Assert.Equal((ulong)Flows, await SentAsync(bed, a) + await SentAsync(bed, b) - sentByA - sentByB);
        DataPlaneStatus status = await bed.Near.GetStatusAsync(false);
        Assert.True(status.Lcores[1].HandedOver >= 2 * Flows);
        AssertOrder();
    }

    [Fact]
    public async Task A_peer_that_carries_more_than_its_part_gets_fewer_new_flows()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        await bed.ConnectAsync("a");
        await bed.ConnectAsync("b");
        await AwaitBothAsync(bed, near, NearUser, FarUser);
        IReadOnlyList<PeerShareStatus> shares = (await bed.Near.GetStatusAsync(false)).PeerShares;
        Assert.Equal([("test/a", 1, 0.5), ("test/b", 1, 0.5)], shares.Select(share => (share.Tunnel, share.Weight, share.Share)));
        Assert.All(shares, share => Assert.Equal([System.Net.IPNetwork.Parse("10.9.0.0/16")], share.Prefixes));

        // One flow alone, of megabits.
        Exchange(near, NearUser, far, FarUser);
        Dictionary<int, (ulong Session, string Peer)> before = await WaysAsync(bed);
        byte[] packet = FlowPackets.Udp(NearUser, FarUser, FirstPort, 53, payload: 1200);
        await ChildBed.UntilAsync(async () =>
        {
            await SendAsync(bed, near, packet, 60);
            ChildBed.Received(far);
            return (await bed.Near.GetStatusAsync(false)).PeerShares.Single(share => share.Tunnel == $"test/{before[FirstPort].Peer}").Share < 0.4;
        }, "fewer new flows by the peer that carries all");
        Assert.Equal(1, (await bed.Near.GetStatusAsync(false)).PeerShares.Sum(share => share.Share));
        Exchange(near, NearUser, far, FarUser);
        Assert.Equal(before, await WaysAsync(bed));
        AssertOrder();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_whose_limit_drops_packets_gets_fewer_new_flows_however_little_it_carries(bool shaped)
    {
        // Half of what would count as load: what is sent alone would move nothing.
        var rate = new TrafficRate { BitsPerSecond = 500_000, BurstBytes = 3000 };
        var limit = shaped ? new TrafficLimitConfig { Shape = rate } : new TrafficLimitConfig { Police = rate };
        await using var bed = new ChildBed(nearTraffic: new TrafficConfig { Tunnels = [new TrafficTunnelsConfig { Names = ["test"], Send = limit }] });
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        await bed.ConnectAsync("a");
        await bed.ConnectAsync("b");
        await AwaitBothAsync(bed, near, NearUser, FarUser);
        near.SendPacket(FlowPackets.Udp(NearUser, FarUser, FirstPort, 53));
        Eventually.True(() => ChildBed.Received(far) > 0, "the first packet");
        await ChildBed.UntilAsync(async () => (await WaysAsync(bed)).ContainsKey(FirstPort), "the flow");
        string peer = (await WaysAsync(bed))[FirstPort].Peer;
        byte[] packet = FlowPackets.Udp(NearUser, FarUser, FirstPort, 53, payload: 1200);
        await ChildBed.UntilAsync(async () =>
        {
            await SendAsync(bed, near, packet, 20);
            ChildBed.Received(far);
            return (await bed.Near.GetStatusAsync(false)).PeerShares.Single(share => share.Tunnel == $"test/{peer}").Share < 0.42;
        }, "fewer new flows by the peer that drops");
    }

    /// <summary>Sends a packet so many times, and waits until the data plane has read all, so that no connection is full.</summary>
    private static async Task SendAsync(ChildBed bed, TestUser from, byte[] packet, int count)
    {
        ulong before = await ReadAsync();
        for (int i = 0; i < count; i++)
            from.SendPacket(packet);
        await ChildBed.UntilAsync(async () => await ReadAsync() >= before + (ulong)count, "the data plane to read what was sent");

        async Task<ulong> ReadAsync() => (await bed.Near.GetStatusAsync(false)).Lcores[0].Ports.Single(port => port.Name == "users").ReceivedPackets;
    }

    /// <summary>A packet of each flow, and an answer to each.</summary>
    private void Exchange(TestUser from, string source, TestUser to, string destination, int firstPort = FirstPort)
    {
        _round++;
        for (int flow = 0; flow < Flows; flow += Window)
        {
            for (int i = flow; i < flow + Window; i++)
                Send(from, source, destination, firstPort + i, 53);
            Await(to, firstPort + flow, received: _round);
            for (int i = flow; i < flow + Window; i++)
                Send(to, destination, source, 53, firstPort + i);
            Await(from, firstPort + flow, received: _round);
        }

        void Send(TestUser user, string source, string destination, int fromPort, int toPort)
        {
            byte[] packet = FlowPackets.Udp(source, destination, (ushort)fromPort, (ushort)toPort, payload: 99);
            BinaryPrimitives.WriteInt32BigEndian(packet.AsSpan(28), _round);
            user.SendPacket(packet);
        }
    }

    private void Await(TestUser user, int firstPort, int received) => Eventually.True(() =>
    {
        ChildBed.Received(user);
        for (int i = _read.GetValueOrDefault(user); i < user.Packets.Count; i++)
        {
            byte[] packet = user.Packets[i];
            if (packet.Length != 20 + 8 + 99)
                continue;
            int from = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(20)), to = BinaryPrimitives.ReadUInt16BigEndian(packet.AsSpan(22));
            if (!_received.TryGetValue((user, Math.Max(from, to)), out List<int>? rounds))
                _received.Add((user, Math.Max(from, to)), rounds = []);
            rounds.Add(BinaryPrimitives.ReadInt32BigEndian(packet.AsSpan(28)));
        }
        _read[user] = user.Packets.Count;
        return Enumerable.Range(firstPort, Window).All(port => _received.TryGetValue((user, port), out List<int>? rounds) && rounds[^1] == received);
    }, $"packets of the flows from {firstPort} on in round {received}");

    /// <summary>Each flow's packets came in their order, and once.</summary>
    private void AssertOrder() => Assert.All(_received.Values, rounds => Assert.True(rounds.Zip(rounds.Skip(1)).All(pair => pair.First < pair.Second), string.Join(' ', rounds)));

    /// <summary>Sends packets of ever new flows until each pair of SAs has had one.</summary>
    private async Task AwaitBothAsync(ChildBed bed, TestUser from, string source, string destination, VpnBroker.DataPlane.DataPlaneHost? host = null)
    {
        host ??= bed.Near;
        var before = (await host.Children!.ReadActivityAsync()).ToDictionary(activity => activity.InboundSpi, activity => activity.SentPackets);
        await ChildBed.UntilAsync(async () =>
        {
            from.SendPacket(FlowPackets.Udp(source, destination, (ushort)(40_000 + _round++), 53));
            return (await host.Children!.ReadActivityAsync()).All(activity => activity.SentPackets > before.GetValueOrDefault(activity.InboundSpi));
        }, "packets by every peer");
    }

    /// <summary>Waits until the route leads to one peer.</summary>
    private static Task UntilRoutedAsync(ChildBed bed, TestUser near, string peer) => ChildBed.UntilAsync(async () =>
    {
        near.SendPacket(FlowPackets.Udp(NearUser, FarUser, 39_999, 53));
        return (await WaysAsync(bed, 39_999)).GetValueOrDefault(39_999).Peer == peer;
    }, $"the route to {peer}");

    /// <summary>Of each flow from a port on its session, and the peer by which its packets go.</summary>
    private static async Task<Dictionary<int, (ulong Session, string Peer)>> WaysAsync(ChildBed bed, int firstPort = FirstPort)
    {
        IReadOnlyDictionary<int, string> names = await bed.Near.GetEspTunnelNamesAsync();
        var ways = new Dictionary<int, (ulong, string)>();
        await bed.Near.ReadFlowsAsync(default, view =>
        {
            int port = Math.Max(view.Key.LowerPort, view.Key.UpperPort);
            if (port >= firstPort && port < firstPort + Flows && view.State.EgressKind == FlowTunnelKind.Esp)
                ways.Add(port, (view.State.FlowId, names.GetValueOrDefault((int)view.State.EgressId, "test/gone")["test/".Length..]));
        });
        return ways;
    }

    private static async Task<ulong> SentAsync(ChildBed bed, ChildPair pair) =>
        (await bed.Near.Children!.ReadActivityAsync()).Single(activity => activity.InboundSpi == pair.Near).SentPackets;
}
