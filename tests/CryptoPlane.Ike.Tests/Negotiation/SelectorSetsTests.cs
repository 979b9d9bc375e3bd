using System.Net;
using CryptoPlane.Ike.Negotiation;
using Packet = (int Address, byte Protocol, ushort Port);

namespace CryptoPlane.Ike.Tests.Negotiation;

/// <summary>Lists of selectors against plain sets of packets in a world of 16 addresses, three protocols and nine ports.</summary>
public class SelectorSetsTests
{
    private const int Rounds = 1000;

    private static readonly ushort[] s_ports = [0, 1, 2, 3, 4, 5, 6, 7, ushort.MaxValue];

    [Fact]
    public void An_intersection_has_what_both_have()
    {
        var random = new Random(7);
        for (int round = 0; round < Rounds; round++)
        {
            IReadOnlyList<TrafficSelector> offered = RandomList(random), granted = RandomList(random), narrowed = SelectorSets.Intersect(offered, granted);
            HashSet<Packet> expected = Packets(offered);
            expected.IntersectWith(Packets(granted));
            Assert.True(expected.SetEquals(Packets(narrowed)));
            Assert.DoesNotContain(narrowed, one => narrowed.Any(other => !ReferenceEquals(one, other) && other.Covers(one)));
        }
    }

    [Fact]
    public void A_list_covers_another_where_its_packets_do()
    {
        var random = new Random(8);
        int covered = 0;
        for (int round = 0; round < Rounds; round++)
        {
            // "Any protocol" stands for 256 of them, which three cannot cover: lists with it and without it are not compared.
            IReadOnlyList<TrafficSelector> whole = RandomList(random, anyProtocol: false), part = RandomList(random, anyProtocol: false);
            if (round % 2 == 0)
                part = [part[0]];
            bool expected = Packets(part).IsSubsetOf(Packets(whole));
            Assert.Equal(expected, SelectorSets.Covers(whole, part));
            Assert.Equal(Packets(part).SetEquals(Packets(whole)), SelectorSets.AreEqual(part, whole));
            covered += expected ? 1 : 0;
        }
        Assert.InRange(covered, Rounds / 50, Rounds / 2);
    }

    [Fact]
    public void Pieces_that_meet_cover_their_whole()
    {
        TrafficSelector[] halves = [Parse("10.0.0.0/25"), Parse("10.0.0.128/25")];
        Assert.True(SelectorSets.AreEqual(halves, [Parse("10.0.0.0/24")]));
        Assert.False(SelectorSets.Covers(halves, [Parse("10.0.0.0/23")]));
        Assert.True(SelectorSets.Covers([Parse("10.0.0.0/24[tcp/0-99]"), Parse("10.0.0.0/24[tcp/100-65535]")], [Parse("10.0.0.0/24[tcp]")]));
        Assert.False(SelectorSets.Covers([Parse("10.0.0.0/24[tcp]"), Parse("10.0.0.0/24[udp]")], [Parse("10.0.0.0/24")]));
        Assert.False(SelectorSets.Covers([TrafficSelector.AnyIPv4], [TrafficSelector.AnyIPv6]));
        Assert.True(SelectorSets.Covers([TrafficSelector.AnyIPv6], [Parse("2001:db8::/32"), Parse("::1")]));
        Assert.True(SelectorSets.Covers([], []));
    }

    [Fact]
    public void Lists_that_are_made_to_be_costly_are_bounded()
    {
        TrafficSelector[] offered = [.. Enumerable.Range(0, 255).Select(i => Parse($"10.0.0.{i}-10.1.0.{i}"))];
        TrafficSelector[] granted = [.. Enumerable.Range(0, 255).Select(i => Parse($"10.0.{i}.1-10.0.{i}.77[tcp/{i}]"))];
        Assert.Equal(SelectorSets.MaxSelectors, SelectorSets.Intersect(offered, granted).Count);
        TrafficSelector[] holes = [.. Enumerable.Range(0, 255).Select(i => Parse($"10.0.0.{i}[tcp/{i}]"))];
        TrafficSelector[] large = [.. Enumerable.Repeat(Parse("10.0.0.0/8[tcp]"), 255)];
        Assert.False(SelectorSets.Covers(holes, large));
    }

    [Fact]
    public void The_packet_that_made_the_peer_ask_stays_in()
    {
        // RFC 7296 §2.9: the first selectors are the packet's, the others what the peer would like.
        TrafficSelector[] local = [Parse("192.0.2.43[udp/53]"), Parse("192.0.2.0/24")], remote = [Parse("10.1.0.7[udp/4000]"), Parse("10.0.0.0/8")];

        NarrowedSelectors? narrowed = NarrowedSelectors.Narrow(local, remote, [Parse("192.0.2.32-192.0.2.63")], [Parse("10.1.0.0/16")]);
        Assert.Equal("192.0.2.32/27", Assert.Single(narrowed!.Local).ToString());
        Assert.Equal("10.1.0.0/16", Assert.Single(narrowed.Remote).ToString());
        Assert.True(narrowed.HasTrigger);
        Assert.False(narrowed.IsWhole);

        NarrowedSelectors? other = NarrowedSelectors.Narrow(local, remote, [Parse("192.0.2.0/28")], [Parse("10.1.0.0/16")]);
        Assert.False(other!.HasTrigger);
        Assert.Null(NarrowedSelectors.Narrow(local, remote, [Parse("198.51.100.0/24")], [Parse("10.1.0.0/16")]));
    }

    [Fact]
    public void The_child_that_grants_most_is_chosen()
    {
        TrafficSelector[] local = [Parse("192.0.2.43[udp/53]"), Parse("192.0.2.0/24")], remote = [Parse("10.1.0.7[udp/4000]"), Parse("10.1.0.0/16")];
        IReadOnlyList<TrafficSelector> other = [Parse("192.0.2.0/28")], trigger = [Parse("192.0.2.32/27")], all = [TrafficSelector.AnyIPv4], none = [Parse("::/0")];
        Assert.Equal(3, Choose(none, other, trigger, all));
        Assert.Equal(2, Choose(none, other, trigger));
        Assert.Equal(0, Choose(trigger, trigger));
        Assert.Equal(1, Choose(none, other));
        Assert.Null(Choose(none));

        int? Choose(params IReadOnlyList<TrafficSelector>[] locals) =>
            NarrowedSelectors.Choose(local, remote, [.. locals.Select(l => (l, all))])?.Index;
    }

    [Fact]
    public void Prefixes_make_up_the_range_and_nothing_else()
    {
        var random = new Random(9);
        for (int round = 0; round < 300; round++)
        {
            (uint first, uint last) = Ordered(random.NextInt64(1L << 32), random.NextInt64(1L << 32));
            TrafficSelector selector = Parse($"{Address(first)}-{Address(last)}");
            long next = first;
            foreach (IPNetwork prefix in selector.ToPrefixes())
            {
                TrafficSelector part = TrafficSelector.FromPrefix(prefix);
                Assert.Equal(Address((uint)next), part.First);
                next += 1L << (32 - prefix.PrefixLength);
            }
            Assert.Equal(last + 1L, next);
        }
        Assert.Equal(["0.0.0.0/0"], TrafficSelector.AnyIPv4.ToPrefixes().Select(p => p.ToString()));
        Assert.Equal(["::/0"], TrafficSelector.AnyIPv6.ToPrefixes().Select(p => p.ToString()));
        Assert.Equal(62, Parse("0.0.0.1-255.255.255.254").ToPrefixes().Count);
        Assert.Equal(254, Parse("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").ToPrefixes().Count);

        static (uint First, uint Last) Ordered(long a, long b) => ((uint)Math.Min(a, b), (uint)Math.Max(a, b));
        static IPAddress Address(uint value) => new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }

    private static TrafficSelector Parse(string text) => TrafficSelector.Parse(text);

    private static List<TrafficSelector> RandomList(Random random, bool anyProtocol = true)
    {
        List<TrafficSelector> list = [];
        for (int count = random.Next(1, 6); count > 0; count--)
        {
            int first = random.Next(16), last = random.Next(first, 16);
            byte protocol = anyProtocol ? random.GetItems<byte>([0, 6, 17], 1)[0] : random.GetItems<byte>([6, 17], 1)[0];
            int firstPort = random.Next(9), lastPort = random.Next(firstPort, 9);
            string ports = protocol == 0 ? "" : $"[{protocol}/{(firstPort == 8 ? 7 : firstPort)}-{s_ports[lastPort]}]";
            list.Add(Parse($"10.0.0.{first}-10.0.0.{last}{ports}"));
        }
        return list;
    }

    private static HashSet<Packet> Packets(IReadOnlyList<TrafficSelector> selectors)
    {
        HashSet<Packet> packets = [];
        foreach (TrafficSelector selector in selectors)
        {
            for (int address = selector.First.GetAddressBytes()[3]; address <= selector.Last.GetAddressBytes()[3]; address++)
            {
                foreach (byte protocol in new byte[] { 1, 6, 17 })
                {
                    foreach (ushort port in s_ports)
                    {
                        if ((selector.Protocol == 0 || selector.Protocol == protocol) && selector.FirstPort <= port && port <= selector.LastPort)
                            packets.Add((address, protocol, port));
                    }
                }
            }
        }
        return packets;
    }
}
