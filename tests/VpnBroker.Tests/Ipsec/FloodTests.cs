using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using CryptoPlane.Ike;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>Ten thousand addresses ask a broker for IKE SAs, through its own sockets, while a tunnel is up.</summary>
public sealed class FloodTests
{
    private const int Addresses = 10_000, Batch = 100;

    [Fact]
    public async Task RequestsOfTenThousandAddresses_LeaveTheTunnelAlone()
    {
        (IPAddress nearAddress, IPAddress farAddress) = IpsecEnd.Addresses();
        await using var far = new IpsecEnd(farAddress, nearAddress, "10.9.0.0/16", "10.8.0.0/16");
        await using var near = new IpsecEnd(nearAddress, farAddress, "10.8.0.0/16", "10.9.0.0/16", start: true);
        TestUser nearUser = await near.UserAsync("10.8.0.10"), farUser = await far.UserAsync("10.9.0.10");
        await ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == 1 && (await far.ChildrenAsync()).Count == 1, "the tunnel");
        NumberedFlow there = new(nearUser, "10.8.0.10", farUser, "10.9.0.10"), back = new(farUser, "10.9.0.10", nearUser, "10.8.0.10");
        ChildBed.AwaitWay(nearUser, "10.8.0.10", farUser, "10.9.0.10");
        ChildBed.AwaitWay(farUser, "10.9.0.10", nearUser, "10.8.0.10");
        ulong sa = Assert.Single(await far.SasAsync()).IkeSa;
        uint child = Assert.Single(await far.ChildrenAsync()).Id.InboundSpi;
        byte[] request = RequestOf(near);
        IkeGateReport before = (await far.Ike.ReportAsync()).Gate;

        for (int sent = 0; sent < Addresses; sent += Batch)
        {
            for (int i = sent; i < sent + Batch; i++)
                SendFrom(new IPAddress([127, 208, (byte)(i / 250), (byte)(1 + (i % 250))]), (ulong)i + 1);
            there.Send(5);
            back.Send(5);
            // The socket's queue is shorter than the flood: each batch is to be seen.
            await ChildBed.UntilAsync(async () => Seen((await far.Ike.ReportAsync()).Gate) - Seen(before) >= sent + Batch, "the flood to be looked at");
        }
        there.AssertAllInOrder();
        back.AssertAllInOrder();

        // Most were told to come again with a cookie; few are held, and those not for long.
        IkeGateReport gate = (await far.Ike.ReportAsync()).Gate;
        Assert.True(gate.CookiesDemanded - before.CookiesDemanded >= Addresses * 9 / 10, gate.ToString());
        Assert.True(gate.HalfOpen <= 128 && (await far.Ike.ReportAsync()).Sas.Count <= 128 + 1, gate.ToString());
        Assert.Equal(sa, Assert.Single(await far.SasAsync()).IkeSa);
        Assert.Equal(child, Assert.Single(await far.ChildrenAsync()).Id.InboundSpi);
        // Whoever is real still gets what it asks for.
        await near.Ike.RekeyAsync("other", ikeSa: true);
        await ChildBed.UntilAsync(async () => (await far.SasAsync()) is [{ Children.Count: > 0 } other] && other.IkeSa != sa, "the rekey of the IKE SA");
        there.Send(5);
        there.AssertAllInOrder();

        void SendFrom(IPAddress source, ulong spi)
        {
            BinaryPrimitives.WriteUInt64BigEndian(request, spi);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(source, 0));
            socket.SendTo(request, new IPEndPoint(farAddress, 500));
        }

        static long Seen(IkeGateReport gate) => gate.Accepted + gate.CookiesDemanded;
    }

    /// <summary>The first message of an endpoint like the broker's own.</summary>
    private static byte[] RequestOf(IpsecEnd end)
    {
        using var key = new IkePresharedKey(RandomNumberGenerator.GetBytes(32));
        var peer = end.Config.Ipsec!.Peers[0];
        using var stranger = new IkeEndpoint(new IkeEndpointOptions
        {
            ChildSpis = new VpnBroker.Ipsec.ChildSpiSource(1, []),
            Connections =
            [
                new IkeConnection
                {
                    Name = "c", LocalAddress = IPAddress.Loopback, RemoteAddress = new IPNetwork(IPAddress.Loopback, 32), LocalId = peer.LocalId, RemoteId = peer.RemoteId,
                    LocalAuthentication = key, RemoteAuthentication = key, Proposals = peer.Proposals,
                    Children = [new IkeChild { Name = "net", LocalSelectors = [TrafficSelector.AnyIPv4], RemoteSelectors = [TrafficSelector.AnyIPv4], Proposals = peer.Children[0].Proposals }],
                },
            ],
        });
        stranger.Initiate("c", now: 1);
        Assert.True(stranger.TryPollTransmit(out IkeDatagram? datagram));
        return datagram.Payload.ToArray();
    }
}
