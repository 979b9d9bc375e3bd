using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Tests.DataPlane;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>Two brokers' data planes and IKE in one process: they find each other, rekey under traffic, and part.</summary>
public sealed class TwoBrokersTests
{
    private const string NearUser = "10.8.0.10", FarUser = "10.9.0.10";

    private static readonly AdditionalKeyExchanges s_mlKem = new(KeyExchangeMethod.MlKem768);
    private static readonly IkeSuite s_ike = new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519);
    private static readonly EspSuite s_esp = new(EspCipher.Aes256Gcm16, KeyExchange: KeyExchangeMethod.X25519);

    private readonly IPAddress _near, _far;

    public TwoBrokersTests() => (_near, _far) = IpsecEnd.Addresses();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TunnelComesUp_RekeysLoseNothing_AndTheEndIsTold(bool mlKem)
    {
        await using var far = new IpsecEnd(_far, _near, "10.9.0.0/16", "10.8.0.0/16", change: Change);
        var near = new IpsecEnd(_near, _far, "10.8.0.0/16", "10.9.0.0/16", start: true, change: Change);
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
                await who.Ike.RekeyAsync("other", ike);
                await ChildBed.UntilAsync(async () =>
                {
                    nearUser.SendPacket(InnerPackets.Udp(NearUser, FarUser, 200, seed: sent));
                    farUser.SendPacket(InnerPackets.Udp(FarUser, NearUser, 200, seed: sent++));
                    return ike
                        ? (await near.SasAsync()).Any(sa => !sas.Contains(sa.IkeSa) && sa.Children.Count > 0)
                        : (await near.ChildrenAsync()).Any(child => !children.Contains(child.Id.InboundSpi));
                }, $"the rekey {round}");
            }
            Assert.Equal(mlKem, Assert.Single(await near.SasAsync(), sa => sa.State == IkeSaState.Established).Suite!.ToString().EndsWith("/X25519+MlKem768", StringComparison.Ordinal));
            Assert.Equal(mlKem, Assert.Single(await near.ChildrenAsync(), child => !child.IsReplaced).Suite.ToString().EndsWith("/X25519+MlKem768", StringComparison.Ordinal));
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

        IpsecPeerConfig Change(IpsecPeerConfig peer) => mlKem
            ? peer with { Proposals = [s_ike with { Additional = s_mlKem }, s_ike], Children = [peer.Children[0] with { Proposals = [s_esp with { Additional = s_mlKem }] }] }
            : peer;
    }

    [Fact]
    public async Task Reload_KeepsPeersThatAreTheSame_AndMakesOthersAnew()
    {
        await using var far = new IpsecEnd(_far, _near, "10.9.0.0/16", "10.8.0.0/16");
        await using var near = new IpsecEnd(_near, _far, "10.8.0.0/16", "10.9.0.0/16", start: true);
        await UpAsync(near, far);
        ulong sa = Assert.Single(await near.SasAsync()).IkeSa;
        await near.ApplyAsync(peer => peer);
        await near.ApplyAsync(peer => peer with { Weight = 7 });
        Assert.Equal(sa, Assert.Single(await near.SasAsync()).IkeSa);
        await near.ApplyAsync(peer => peer with { DpdSeconds = 77 });
        await ChildBed.UntilAsync(async () => (await near.SasAsync()).Any(other => other.IkeSa != sa && other.Children.Count > 0), "an IKE SA of the new settings");
        await Assert.ThrowsAsync<VpnBroker.Ipsec.IpsecException>(
            () => near.ApplyAsync(peer => peer with { Credentials = new VpnBroker.Configuration.IpsecCredentials { PskFile = "/none" } }));
    }

    private static Task UpAsync(IpsecEnd near, IpsecEnd far) =>
        ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 1 && (await far.ChildrenAsync()).Count == 1, "the tunnel");
}
