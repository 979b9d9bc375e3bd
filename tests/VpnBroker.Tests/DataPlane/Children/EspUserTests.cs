using System.Net;
using CryptoPlane.TestKit;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Children;

/// <summary>
/// Remote users by IKEv2 in the data plane: their addresses are of the near side's pool and lead into their own pair of SAs, whose other end is
/// the far side, where the "device" is a user with the same address.
/// </summary>
public sealed class EspUserTests
{
    private const string NearUser = "10.8.0.10", Roamer = "10.8.0.20", RoamerOfLcore1 = "10.8.128.20";

    [Fact]
    public async Task UsersOfBothKinds_ReachOneAnother_ThroughRekeys_UntilThePairIsGone()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, Roamer);
        EspUser user = UserOf(Roamer);
        ChildPair pair = await ConnectAsync(bed, user, Roamer);
        ChildBed.AwaitWay(near, NearUser, device, Roamer);
        ChildBed.AwaitWay(device, Roamer, near, NearUser);
        int before = ChildBed.Received(device), beforeBack = ChildBed.Received(near), sent = 0;
        for (int rekey = 0; rekey < 5; rekey++)
        {
            ChildPair next = await ConnectAsync(bed, user, Roamer);
            for (int i = 0; i < 20; i++, sent++)
            {
                near.SendPacket(InnerPackets.Udp(NearUser, Roamer, 200, seed: i));
                device.SendPacket(InnerPackets.Udp(Roamer, NearUser, 200, seed: i));
            }
            Eventually.True(() => ChildBed.Received(device) == before + sent && ChildBed.Received(near) == beforeBack + sent, "all packets, both ways");
            await bed.RemoveAsync(pair);
            pair = next;
        }
        // One tunnel, with what all its pairs have carried.
        UserTunnelStatus status = Assert.Single((await bed.Near.GetStatusAsync(true)).Tunnels, tunnel => tunnel.TunnelId == user.TunnelId);
        Assert.Equal((7ul, Roamer, 0), (status.SessionId, status.InnerIPv4!.ToString(), status.Lcore));
        Assert.True(status.Traffic.ReceivedPackets > (ulong)sent && status.Traffic.SentPackets > (ulong)sent, $"{status.Traffic} of {sent}");

        EspActivity? carried = await bed.Near.Children!.RemoveAsync(pair.Near);
        Assert.Equal(20ul, carried!.Value.ReceivedPackets);
        Assert.True(carried.Value.SentBytes >= 20 * 200);
        near.SendPacket(InnerPackets.Udp(NearUser, Roamer));
        await ChildBed.UntilAsync(async () => ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "no-tunnel") > 0, "the drop of a packet to nobody");
        Assert.DoesNotContain((await bed.Near.GetStatusAsync(true)).Tunnels, tunnel => tunnel.TunnelId == user.TunnelId);
    }

    [Fact]
    public async Task AUserOnAnotherLcore_IsReachedByAHandOver()
    {
        await using var bed = new ChildBed(nearLcores: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, RoamerOfLcore1);
        await ConnectAsync(bed, UserOf(RoamerOfLcore1), RoamerOfLcore1, lcore: 1);
        ChildBed.AwaitWay(near, NearUser, device, RoamerOfLcore1);
        ChildBed.AwaitWay(device, RoamerOfLcore1, near, NearUser);
        DataPlaneStatus status = await bed.Near.GetStatusAsync(false);
        Assert.True(status.Lcores[0].HandedOver > 0 && status.Lcores[1].HandedOver > 0, "either way goes by a ring");
        Assert.Equal(1, Assert.Single(status.Esp).Lcore);
    }

    /// <summary>The SA's selectors are wide on purpose: the lcore looks too.</summary>
    [Fact]
    public async Task AUser_SpeaksForItsOwnAddressOnly()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, Roamer), thief = await bed.UserAsync(bed.Far, "10.8.0.21");
        await bed.ConnectAsync("user", near: "10.8.0.0/16", far: "10.8.0.0/16", user: UserOf(Roamer));
        ChildBed.AwaitWay(device, Roamer, near, NearUser);
        int before = ChildBed.Received(near);
        thief.SendPacket(InnerPackets.Udp("10.8.0.21", NearUser));
        await ChildBed.UntilAsync(async () => ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "source-address") == 1, "the drop");
        // Nor for a user of the other kind.
        TestUser alsoNear = await bed.UserAsync(bed.Far, NearUser);
        alsoNear.SendPacket(InnerPackets.Udp(NearUser, "10.8.0.99"));
        await ChildBed.UntilAsync(async () => ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "source-address") == 2, "the drop");
        Assert.Equal(before, ChildBed.Received(near));
    }

    /// <summary>RFC 4301 §5.1.</summary>
    [Fact]
    public async Task WhatTheUsersSelectorsDoNotTake_IsNotSent()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, Roamer);
        await bed.ConnectAsync("user", near: "10.8.4.0/24", far: $"{Roamer}/32", user: UserOf(Roamer));
        near.SendPacket(InnerPackets.Udp(NearUser, Roamer));
        await ChildBed.UntilAsync(async () => ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "selectors") == 1, "the drop");
        Assert.Equal(0, ChildBed.Received(device));
    }

    [Fact]
    public async Task TunnelsThatComeAndGo_UseTheirNumbersAgain()
    {
        await using var bed = new ChildBed(maximumChildren: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, Roamer);
        for (int round = 0; round < 8; round++)
        {
            ChildPair pair = await ConnectAsync(bed, UserOf(Roamer, (ulong)(100 + round)), Roamer);
            ChildBed.AwaitWay(near, NearUser, device, Roamer);
            await bed.RemoveAsync(pair);
        }
        Assert.Empty((await bed.Near.GetStatusAsync(false)).Esp);
    }

    /// <summary>
    /// A police of a packet in ten seconds: but for its burst nothing passes, and the burst of a user's further connection is an equal part.
    /// </summary>
    [Fact]
    public async Task AUsersLimits_AreDividedOverConnectionsOfBothKinds()
    {
        var limit = new TrafficRate { BitsPerSecond = 800, BurstBytes = 10_100 };
        await using var bed = new ChildBed(nearTraffic: new TrafficConfig
        {
            Users = [new TrafficUsersConfig { Users = ["alice"], Upload = new TrafficLimitConfig { Police = limit } }],
        });
        TestUser bob = await bed.UserAsync(bed.Near, NearUser), device = await bed.UserAsync(bed.Far, Roamer);
        EspUser alice = UserOf(Roamer) with { Name = "alice" };
        for (ulong round = 0; round < 2; round++)
        {
            string address = $"10.8.0.{30 + round}";
            using var laptop = new TestUser(10 + (int)round);
            await bed.Near.AttachUserAsync(DataPlaneHostTests.RequestOf(laptop, 50 + round, 0, address) with { User = "alice" });
            Assert.Equal(10, await PassedAsync(bed, laptop, address, bob));
            ChildPair pair = await ConnectAsync(bed, alice, Roamer);
            ChildBed.AwaitWay(bob, NearUser, device, Roamer);
            ChildBed.AwaitWay(device, Roamer, bob, NearUser);
            // The way's own packets are small; there may be a few of them.
            Assert.InRange(await PassedAsync(bed, device, Roamer, bob), 3, 5);
            // A rekey brings nothing.
            ChildPair next = await ConnectAsync(bed, alice, Roamer);
            await bed.RemoveAsync(pair);
            Assert.InRange(await PassedAsync(bed, device, Roamer, bob), 0, 1);
            await bed.RemoveAsync(next);
            laptop.CloseSocket();
            await ChildBed.UntilAsync(async () => (await bed.Near.GetStatusAsync(true)).Tunnels.Count == 1, "the end of alice's connections");
        }
    }

    /// <summary>How many of twenty packets of 1,000 bytes pass.</summary>
    private static async Task<int> PassedAsync(ChildBed bed, TestUser from, string source, TestUser to)
    {
        int before = ChildBed.Received(to);
        ulong refused = ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "policed");
        for (int i = 0; i < 20; i++)
            from.SendPacket(InnerPackets.Udp(source, NearUser, 1_000));
        await ChildBed.UntilAsync(async () =>
            ChildBed.Received(to) - before + (int)(ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "policed") - refused) == 20, "all packets");
        return ChildBed.Received(to) - before;
    }

    private static Task<ChildPair> ConnectAsync(ChildBed bed, EspUser user, string address, int lcore = 0) =>
        bed.ConnectAsync($"session {user.TunnelId}", nearLcore: lcore, far: $"{address}/32", user: user);

    private static EspUser UserOf(string address, ulong tunnel = 100) => new(tunnel, 7, IPAddress.Parse(address), null);
}
