using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>Two brokers in network namespaces of their own: what lies between them decides how ESP travels.</summary>
public sealed class OuterPathTests
{
    private const string NearUser = "10.8.0.10", FarUser = "10.9.0.10", NearUser1 = "10.8.128.10", FarUser1 = "10.9.128.10";

    /// <summary>With <c>encapsulation: auto</c> and no NAT ESP has no UDP around it; each lcore's raw socket takes its own SPIs.</summary>
    [Theory]
    [InlineData("10.99.0.1", "10.99.0.2", 24, false)]
    [InlineData("fd99::1", "fd99::2", 64, false)]
    [InlineData("fd99::1", "fd99::2", 64, true)]
    public async Task EspTravels_OnEitherIpVersion_WithAndWithoutUdp(string nearAddress, string farAddress, int prefix, bool udp)
    {
        using NetworkNamespace nearPlace = new("near"), farPlace = new("far");
        nearPlace.Connect(farPlace, "eth0", $"{nearAddress}/{prefix}", "eth0", $"{farAddress}/{prefix}");
        IPAddress nearOuter = IPAddress.Parse(nearAddress), farOuter = IPAddress.Parse(farAddress);
        await using IpsecEnd far = farPlace.Within(() => new IpsecEnd(
            farOuter, nearOuter, "10.9.0.0/16", "10.8.0.0/16", lcores: 2, perLcore: true, change: peer => peer with { ForceEncapsulation = udp }));
        await using IpsecEnd near = nearPlace.Within(() => new IpsecEnd(
            nearOuter, farOuter, "10.8.0.0/16", "10.9.0.0/16", lcores: 2, start: true, perLcore: true, change: peer => peer with { ForceEncapsulation = udp }));
        TestUser near0 = await near.UserAsync(NearUser), near1 = await near.UserAsync(NearUser1, lcore: 1);
        TestUser far0 = await far.UserAsync(FarUser), far1 = await far.UserAsync(FarUser1, lcore: 1);
        await ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 3 && (await far.ChildrenAsync()).Count == 3, "three child SAs");
        NumberedFlow[] flows =
        [
            new(near0, NearUser, far0, FarUser), new(near1, NearUser1, far1, FarUser1),
            new(far0, FarUser, near0, NearUser), new(far1, FarUser1, near1, NearUser1),
        ];
        ChildBed.AwaitWay(near0, NearUser, far0, FarUser);
        ChildBed.AwaitWay(near1, NearUser1, far1, FarUser1);
        ChildBed.AwaitWay(far0, FarUser, near0, NearUser);
        ChildBed.AwaitWay(far1, FarUser1, near1, NearUser1);
        foreach (bool ike in new[] { false, true })
        {
            ulong sa = Assert.Single(await near.SasAsync()).IkeSa;
            uint[] children = [.. (await near.ChildrenAsync()).Select(child => child.Id.InboundSpi)];
            await far.Ike.RekeyAsync("other", ike);
            await ChildBed.UntilAsync(async () =>
            {
                Array.ForEach(flows, flow => flow.Send(5));
                return (await near.SasAsync()) is [var one] && (ike ? one.IkeSa != sa : !one.Children.Any(child => !child.IsReplaced && children.Contains(child.Id.InboundSpi)));
            }, "the rekey");
        }
        Array.ForEach(flows, flow => flow.AssertAllInOrder());

        Assert.All(await near.SasAsync(), sa => Assert.Equal(udp, sa.UdpEncapsulation));
        foreach (IpsecEnd end in new[] { near, far })
        {
            // Each lcore's port of the kind that is in use has had its flow, and the other kind nothing.
            DataPlaneStatus status = await end.DataPlane.GetStatusAsync(false);
            DevicePortStatus[] outer = [.. status.Ports.Where(port => port.Name.StartsWith("esp:", StringComparison.Ordinal) || port.Name.StartsWith("udp:", StringComparison.Ordinal))];
            Assert.Equal(udp ? 2 : 4, outer.Length);
            Assert.All(outer, port => Assert.Equal(port.Name.StartsWith("udp:", StringComparison.Ordinal) == udp, port.Reading.ReceivedPackets >= 10));
        }
    }

    /// <summary>Behind a NAT ESP goes by UDP without being asked to, and what is idle keeps its mapping (RFC 3948 §4).</summary>
    [Fact]
    public async Task BehindANat_EspGoesByUdp_AndKeepalivesAreOnTheWire()
    {
        using NetworkNamespace nearPlace = new("near"), nat = new("nat"), farPlace = new("far");
        nearPlace.Connect(nat, "eth0", "10.99.0.1/24", "inner", "10.99.0.254/24");
        nat.Connect(farPlace, "outer", "10.98.0.254/24", "eth0", "10.98.0.2/24");
        nearPlace.Ip("route add default via 10.99.0.254");
        nat.Run(Requirement.Program("sysctl", "procps"), ["-qw", "net.ipv4.ip_forward=1"]).EnsureSuccess();
        string nft = Requirement.Program("nft", "nftables");
        nat.Run(nft, ["-f", "-"], """
            table ip lab {
              counter fromnear {}
              counter fromfar {}
              chain out {
                type nat hook postrouting priority srcnat;
                oifname outer masquerade
              }
              chain through {
                type filter hook forward priority 0;
                iifname inner udp dport 4500 udp length 9 @th,64,8 0xff counter name fromnear
                iifname outer udp sport 4500 udp length 9 @th,64,8 0xff counter name fromfar
              }
            }

            """).EnsureSuccess();
        IPAddress nearOuter = IPAddress.Parse("10.99.0.1"), natOuter = IPAddress.Parse("10.98.0.254"), farOuter = IPAddress.Parse("10.98.0.2");
        await using IpsecEnd far = farPlace.Within(() => new IpsecEnd(farOuter, natOuter, "10.9.0.0/16", "10.8.0.0/16",
            change: peer => peer with { ForceEncapsulation = false, RemoteId = IkeIdentityPattern.Parse("10.99.0.1") }, endpointOf: Hasty));
        await using IpsecEnd near = nearPlace.Within(() => new IpsecEnd(nearOuter, farOuter, "10.8.0.0/16", "10.9.0.0/16", start: true,
            change: peer => peer with { ForceEncapsulation = false }, endpointOf: Hasty));
        TestUser nearUser = await near.UserAsync(NearUser), farUser = await far.UserAsync(FarUser);
        await ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 1 && (await far.ChildrenAsync()).Count == 1, "the tunnel");
        Assert.True(Assert.Single(await near.SasAsync()).UdpEncapsulation);
        Assert.Equal(natOuter, Assert.Single(await far.SasAsync()).Remote.Address);
        ChildBed.AwaitWay(nearUser, NearUser, farUser, FarUser);
        ChildBed.AwaitWay(farUser, FarUser, nearUser, NearUser);

        Eventually.True(() => Counted("fromnear") >= 3, "three keepalives of the side behind the NAT");
        // The other side is behind no NAT, so that it sends none; and it takes those that come for what they are.
        Assert.Equal(0, Counted("fromfar"));
        DataPlaneStatus status = await far.DataPlane.GetStatusAsync(false);
        Assert.Equal(0ul, ChildBed.Dropped(status, "esp-unknown-spi"));
        ChildBed.AwaitWay(farUser, FarUser, nearUser, NearUser);

        static IkeEndpoint Hasty(IkeEndpointOptions options) => new(new IkeEndpointOptions { ChildSpis = options.ChildSpis, NatKeepaliveDelay = 100 });

        long Counted(string counter)
        {
            string text = nat.Run(nft, ["list", "counter", "ip", "lab", counter]).EnsureSuccess().Output;
            return long.Parse(text.Split("packets ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
        }
    }
}
