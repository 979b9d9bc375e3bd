using System.Net;
using CryptoPlane.Aead;
using CryptoPlane.Esp;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

/// <summary>Which tunnels share a prefix, and which parts of flows stay where they are while tunnels come and go.</summary>
public sealed class NegotiatedTunnelsTests
{
    private readonly NegotiatedTunnels _tunnels = new(0, 64);

    [Fact]
    public void The_lowest_priority_has_the_prefix_and_those_of_one_priority_share_it_by_weight()
    {
        NegotiatedTunnel a = Open("a", weight: 3), b = Open("b"), late = Open("late", priority: 7), other = Open("other", prefix: "10.50.0.0/16");
        _tunnels.Regroup();
        Assert.Equal((RouteKind.Peers, 0), TargetOf("10.40.0.0/16"));
        Assert.Equal((RouteKind.Esp, other.Number), TargetOf("10.50.0.0/16"));
        PeerTable group = Assert.Single(_tunnels.Groups);
        Assert.Equal([a, b], group.Tunnels);
        Assert.Equal([IPNetwork.Parse("10.40.0.0/16")], group.Prefixes);
        Assert.Equal((0.75, 0.25), (group.ShareOf(0), group.ShareOf(1)));

        a.Deactivate(0, 1);
        _tunnels.Regroup();
        Assert.Equal((RouteKind.Esp, b.Number), TargetOf("10.40.0.0/16"));
        b.Deactivate(0, 1);
        _tunnels.Regroup();
        Assert.Equal((RouteKind.Esp, late.Number), TargetOf("10.40.0.0/16"));
    }

    [Fact]
    public void Flows_of_a_peer_that_goes_move_alone_and_weights_move_no_more_than_they_must()
    {
        NegotiatedTunnel a = Open("a");
        Open("b");
        Open("c");
        _tunnels.Regroup();
        string[] before = Slots();
        a.Deactivate(0, 1);
        _tunnels.Regroup();
        string[] without = Slots();
        Assert.All(before.Zip(without).Where(slot => slot.First != "a"), slot => Assert.Equal(slot.First, slot.Second));
        Assert.Equal([512, 512], Parts(without));

        a.Activate(0, 1);
        _tunnels.Regroup();
        string[] again = Slots();
        Assert.All(without.Zip(again).Where(slot => slot.Second != "a"), slot => Assert.Equal(slot.First, slot.Second));
        Assert.Equal([342, 341, 341], Parts(again));

        _tunnels.SetWeight("a", 2);
        _tunnels.Regroup();
        string[] heavier = Slots();
        Assert.All(again.Zip(heavier).Where(slot => slot.First != slot.Second), slot => Assert.Equal("a", slot.Second));
        Assert.Equal([512, 256, 256], Parts(heavier));
        _tunnels.Regroup();
        Assert.Equal(heavier, Slots());
    }

    [Fact]
    public void A_peer_is_one_whether_its_pairs_are_each_lcore_s_or_for_all_of_them()
    {
        NegotiatedTunnel all = Open("a", fallback: true);
        NegotiatedTunnel other = Open("b", fallback: true);
        _tunnels.Regroup();
        string[] before = Slots();
        NegotiatedTunnel own = Open("a");
        _tunnels.Regroup();
        Assert.Equal([other, own], Assert.Single(_tunnels.Groups).Tunnels);
        Assert.Equal(before, Slots());
        unsafe
        {
            PeerGroup* group = _tunnels.DescribeGroups();
            Assert.Equal((2, 1, 1, 0), (group->Count, group->Find(own.Number), group->Find(all.Number), group->Find(other.Number)));
            Assert.Equal((-1, -1), (group->Find(PeerGroup.None), group->Find(60)));
            System.Runtime.InteropServices.NativeMemory.Free(group);
        }
    }

    [Fact]
    public void Load_moves_slots_by_no_more_than_it_must_and_is_remembered_when_another_peer_comes()
    {
        Open("a");
        Open("b");
        _tunnels.Regroup();
        PeerTable group = _tunnels.Groups[0];
        PeerLoad[] even = [new PeerLoad(1e6, false), new PeerLoad(1.05e6, false)], uneven = [new PeerLoad(3e6, false), new PeerLoad(1e6, false)];
        for (int second = 0; second < 60; second++)
            Assert.False(group.Measure(1, even));
        int moves = 0;
        for (int second = 0; second < 120; second++)
        {
            string[] before = Slots();
            bool moved = group.Measure(1, uneven);
            moves += moved ? 1 : 0;
            Assert.Equal(moved, before.Zip(Slots()).Any(slot => slot.First != slot.Second));
            Assert.All(before.Zip(Slots()), slot => Assert.True(slot.First == slot.Second || slot is { First: "a", Second: "b" }));
            Assert.Equal(1, group.ShareOf(0) + group.ShareOf(1));
        }
        Assert.InRange(moves, 5, 60);
        Assert.InRange(group.ShareOf(0), 0.15, 0.35);
        double ratio = group.ShareOf(0) / group.ShareOf(1);

        string[] two = Slots();
        Open("c");
        _tunnels.Regroup();
        PeerTable three = Assert.Single(_tunnels.Groups);
        Assert.Equal(ratio, three.ShareOf(0) / three.ShareOf(1), 0.02);
        Assert.All(two.Zip(Slots()).Where(slot => slot.Second != "c"), slot => Assert.Equal(slot.First, slot.Second));
    }

    [Fact]
    public void Prefixes_with_the_same_peers_have_one_table_and_more_peers_than_it_takes_wait()
    {
        for (int i = 0; i < PeerGroup.MaximumMembers + 3; i++)
        {
            Open($"peer{i}");
            Open($"peer{i} too", prefix: "10.50.0.0/16");
        }
        Open("another", prefix: "10.60.0.0/16", second: "10.70.0.0/16");
        Open("one more", prefix: "10.60.0.0/16", second: "10.70.0.0/16");
        _tunnels.Regroup();
        Assert.Equal([16, 16, 2], _tunnels.Groups.Select(group => group.Tunnels.Count));
        Assert.Equal([1, 1, 2], _tunnels.Groups.Select(group => group.Prefixes.Count));
        Assert.Equal(TargetOf("10.60.0.0/16"), TargetOf("10.70.0.0/16"));
        Assert.Equal(4, _tunnels.Routes.Count);
    }

    private (RouteKind Kind, int Index) TargetOf(string prefix) =>
        _tunnels.Routes.Single(route => route.Prefix == IPNetwork.Parse(prefix)).Target is var target ? (target.Kind, target.Index) : default;

    /// <summary>The peer of each slot of the first group.</summary>
    private unsafe string[] Slots()
    {
        PeerGroup* group = _tunnels.DescribeGroups();
        string[] slots = [.. Enumerable.Range(0, PeerGroup.Slots).Select(slot => _tunnels.Groups[0].Tunnels[group->MemberOf((uint)slot)].Group)];
        System.Runtime.InteropServices.NativeMemory.Free(group);
        return slots;
    }

    private static int[] Parts(string[] slots) => [.. slots.GroupBy(slot => slot).OrderBy(part => part.Key, StringComparer.Ordinal).Select(part => part.Count())];

    private NegotiatedTunnel Open(string name, int priority = 0, int weight = 1, string prefix = "10.40.0.0/16", string? second = null, bool fallback = false)
    {
        EspSelector[] behind = [.. new[] { prefix, second }.OfType<string>().Select(text => EspSelector.FromPrefix(IPNetwork.Parse(text)))];
        Assert.True(_tunnels.TryOpen(new EspChildRequest
        {
            Name = $"{name}/net", Group = name, IsFallback = fallback, Priority = priority, Weight = weight, Lcore = 0, InboundSpi = 1, OutboundSpi = 1,
            Algorithm = AeadAlgorithm.Aes128Gcm, Esn = true, InboundKey = [], OutboundKey = [], Mode = EspMode.Udp, Local = new IPEndPoint(0, 0), Remote = new IPEndPoint(0, 0),
            LocalSelectors = behind, RemoteSelectors = behind, Mtu = 1400,
        }, out NegotiatedTunnel? tunnel));
        tunnel.Activate(0, 1);
        return tunnel;
    }
}
