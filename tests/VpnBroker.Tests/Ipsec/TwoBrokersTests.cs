using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>Two brokers' data planes and IKE in one process: they find each other, rekey under traffic, and part.</summary>
public sealed class TwoBrokersTests
{
    private const string NearUser = "10.8.0.10", FarUser = "10.9.0.10";

    private readonly IPAddress _near, _far;

    public TwoBrokersTests()
    {
        // Port 500.
        Requirement.Root();
        byte[] net = [127, (byte)RandomNumberGenerator.GetInt32(210, 250), (byte)RandomNumberGenerator.GetInt32(1, 250)];
        (_near, _far) = (new IPAddress([.. net, 1]), new IPAddress([.. net, 2]));
    }

    [Fact]
    public async Task TunnelComesUp_RekeysLoseNothing_AndTheEndIsTold()
    {
        await using var far = new IpsecEnd(_far, _near, "10.9.0.0/16", "10.8.0.0/16");
        var near = new IpsecEnd(_near, _far, "10.8.0.0/16", "10.9.0.0/16", start: true);
        try
        {
            TestUser nearUser = await near.UserAsync(NearUser), farUser = await far.UserAsync(FarUser);
            await UpAsync(near, far);
            ChildBed.AwaitWay(nearUser, NearUser, farUser, FarUser);
            ChildBed.AwaitWay(farUser, FarUser, nearUser, NearUser);

            int before = ChildBed.Received(farUser), beforeBack = ChildBed.Received(nearUser), sent = 0;
            for (int round = 0; round < 6; round++)
            {
                IpsecEnd who = round % 2 == 0 ? near : far;
                bool ike = round % 3 == 2;
                uint[] children = [.. (await near.ChildrenAsync()).Select(child => child.Id.InboundSpi)];
                ulong[] sas = [.. (await near.SasAsync()).Select(sa => sa.IkeSa)];
                int turns = 0;
                await ChildBed.UntilAsync(async () =>
                {
                    // Again from time to time: what the last rekey has not finished yet is not rekeyed.
                    if (turns++ % 50 == 0)
                        await who.Ike.RekeyAsync("other", ike);
                    nearUser.SendPacket(InnerPackets.Udp(NearUser, FarUser, 200, seed: sent));
                    farUser.SendPacket(InnerPackets.Udp(FarUser, NearUser, 200, seed: sent++));
                    return ike
                        ? (await near.SasAsync()).Any(sa => !sas.Contains(sa.IkeSa) && sa.Children.Count > 0)
                        : (await near.ChildrenAsync()).Any(child => !children.Contains(child.Id.InboundSpi));
                }, $"the rekey {round}");
            }
            Eventually.True(() => ChildBed.Received(farUser) == before + sent && ChildBed.Received(nearUser) == beforeBack + sent, "all packets, both ways");
            await ChildBed.UntilAsync(async () => (await near.DataPlane.GetStatusAsync(false)).Esp.Count == 1, "the replaced SAs to go");

            await near.Ike.DownAsync("other");
            await ChildBed.UntilAsync(async () => (await far.ChildrenAsync()).Count == 0 && (await far.DataPlane.GetStatusAsync(false)).Esp.Count == 0, "the end at the other side");
            await near.Ike.UpAsync("other");
            await UpAsync(near, far);
            ChildBed.AwaitWay(nearUser, NearUser, farUser, FarUser);
            await Assert.ThrowsAsync<VpnBroker.Ipsec.IpsecException>(() => near.Ike.UpAsync("nobody"));
        }
        finally
        {
            await near.DisposeAsync();
        }
        await ChildBed.UntilAsync(async () => (await far.ChildrenAsync()).Count == 0, "the end of the broker that stopped");
        Assert.Contains("\"event\":\"ipsec-up\",\"peer\":\"other\"", far.Audit, StringComparison.Ordinal);
        Assert.Contains("\"reason\":\"DeletedByPeer\"", far.Audit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task PerLcore_EachLcoresTrafficHasItsOwnSas_AndNothingIsHandedOver()
    {
        await using var far = new IpsecEnd(_far, _near, "10.9.0.0/16", "10.8.0.0/16", lcores: 2, perLcore: true);
        await using var near = new IpsecEnd(_near, _far, "10.8.0.0/16", "10.9.0.0/16", lcores: 2, start: true, perLcore: true);
        TestUser near0 = await near.UserAsync(NearUser), near1 = await near.UserAsync("10.8.128.10", lcore: 1);
        TestUser far0 = await far.UserAsync(FarUser), far1 = await far.UserAsync("10.9.128.10", lcore: 1);
        // One for each lcore, and the fallback.
        await ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 3 && (await far.ChildrenAsync()).Count == 3, "three child SAs");
        ChildBed.AwaitWay(near0, NearUser, far0, FarUser);
        ChildBed.AwaitWay(near1, "10.8.128.10", far1, "10.9.128.10");
        await ChildBed.UntilAsync(async () => await SendAsync() == (0, 0), "traffic that is not handed over");

        Assert.Equal([0, 1], (await near.ChildrenAsync()).Select(child => child.Resource).OfType<int>().Order());
        DataPlaneStatus status = await near.DataPlane.GetStatusAsync(false);
        Assert.Equal(2, status.Esp.Where(pair => pair.Traffic.SentPackets >= 50).Select(pair => pair.Lcore).Distinct().Count());

        async Task<(ulong, ulong)> SendAsync()
        {
            ulong nearBefore = HandedOver(await near.DataPlane.GetStatusAsync(false)), farBefore = HandedOver(await far.DataPlane.GetStatusAsync(false));
            int before0 = ChildBed.Received(far0), before1 = ChildBed.Received(far1);
            for (int i = 0; i < 50; i++)
            {
                near0.SendPacket(InnerPackets.Udp(NearUser, FarUser, seed: i));
                near1.SendPacket(InnerPackets.Udp("10.8.128.10", "10.9.128.10", seed: i));
            }
            Eventually.True(() => ChildBed.Received(far0) >= before0 + 50 && ChildBed.Received(far1) >= before1 + 50, "a hundred packets");
            return (HandedOver(await near.DataPlane.GetStatusAsync(false)) - nearBefore, HandedOver(await far.DataPlane.GetStatusAsync(false)) - farBefore);
        }

        static ulong HandedOver(DataPlaneStatus status) => status.Lcores.Aggregate(0ul, (sum, lcore) => sum + lcore.HandedOver);
    }

    [Fact]
    public async Task Reload_KeepsPeersThatAreTheSame_AndMakesOthersAnew()
    {
        await using var far = new IpsecEnd(_far, _near, "10.9.0.0/16", "10.8.0.0/16");
        await using var near = new IpsecEnd(_near, _far, "10.8.0.0/16", "10.9.0.0/16", start: true);
        await UpAsync(near, far);
        ulong sa = Assert.Single(await near.SasAsync()).IkeSa;
        await near.ApplyAsync(peer => peer);
        Assert.Equal(sa, Assert.Single(await near.SasAsync()).IkeSa);
        await near.ApplyAsync(peer => peer with { DpdSeconds = 77 });
        await ChildBed.UntilAsync(async () => (await near.SasAsync()).Any(other => other.IkeSa != sa && other.Children.Count > 0), "an IKE SA of the new settings");
        await Assert.ThrowsAsync<VpnBroker.Ipsec.IpsecException>(
            () => near.ApplyAsync(peer => peer with { Credentials = new VpnBroker.Configuration.IpsecCredentials { PskFile = "/none" } }));
    }

    private static Task UpAsync(IpsecEnd near, IpsecEnd far) =>
        ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 1 && (await far.ChildrenAsync()).Count == 1, "the tunnel");
}
