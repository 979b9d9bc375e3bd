using System.Net;
using System.Net.Sockets;
using CryptoPlane.Esp;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Children;

/// <summary>Pairs of SAs that come, take over from one another and go while traffic flows.</summary>
public sealed class EspChildrenTests
{
    private const string NearUser = "10.8.0.10", FarUser = "10.9.0.10", NearUserOfLcore1 = "10.8.128.10";

    [Fact]
    public async Task RekeysUnderTraffic_LoseNothing_AndLeaveNothing()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair pair = await bed.ConnectAsync();
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        int before = ChildBed.Received(far), beforeBack = ChildBed.Received(near), sent = 0;
        for (int rekey = 0; rekey < 40; rekey++)
        {
            // Make before break: the one side sends on the new pair while the other still does on the old one.
            ChildPair next = await bed.InstallAsync();
            Send(20);
            Assert.True(await bed.Near.Children!.ActivateAsync(next.Near));
            Send(20);
            Assert.True(await bed.Far.Children!.ActivateAsync(next.Far));
            Send(20);
            // What was sent on the old pair has come before that goes.
            Eventually.True(() => ChildBed.Received(far) == before + sent && ChildBed.Received(near) == beforeBack + sent, "all packets, both ways");
            await bed.RemoveAsync(pair);
            pair = next;
        }
        DataPlaneStatus status = await bed.Near.GetStatusAsync(false);
        EspPairStatus left = Assert.Single(status.Esp);
        Assert.Equal((pair.Near, pair.Far, true), (left.InboundSpi, left.OutboundSpi, left.Sends));
        Assert.Equal("test/dc", left.Tunnel);
        Assert.Equal(0ul, ChildBed.Dropped(status, "esp-unknown-spi"));

        void Send(int count)
        {
            for (int i = 0; i < count; i++)
            {
                near.SendPacket(InnerPackets.Udp(NearUser, FarUser, 200, seed: i));
                far.SendPacket(InnerPackets.Udp(FarUser, NearUser, 200, seed: i));
            }
            sent += count;
        }
    }

    [Fact]
    public async Task RemovedPair_TakesItsRouteAlong_AndItsNumbersAreUsedAgain()
    {
        await using var bed = new ChildBed(maximumChildren: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        for (int round = 0; round < 6; round++)
        {
            // Each round another group, which takes another number.
            ChildPair pair = await bed.ConnectAsync($"group{round}");
            ChildBed.AwaitWay(near, NearUser, far, FarUser);
            await bed.RemoveAsync(pair);
            int errors = ChildBed.Received(near);
            Eventually.True(() =>
            {
                near.SendPacket(InnerPackets.Udp(NearUser, FarUser));
                return Eventually.Becomes(() => ChildBed.Received(near) > errors, TimeSpan.FromMilliseconds(50));
            }, "the error 'no route'");
            Assert.False(await bed.Near.Children!.ActivateAsync(pair.Near));
            Assert.Null(await bed.Near.Children!.RemoveAsync(pair.Near));
        }
        Assert.Empty((await bed.Near.GetStatusAsync(false)).Esp);
    }

    [Fact]
    public async Task OfTwoPeersWithOnePrefix_TheOneWithTheLowerNumberCounts_AndTheOtherTakesOver()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair second = await bed.ConnectAsync("second", priority: 20);
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        ChildPair first = await bed.ConnectAsync("first", priority: 10);
        await CarriesAsync(first);
        // The far side still answers by the other one, whose selectors have the source too.
        far.SendPacket(InnerPackets.Udp(FarUser, NearUser));
        await bed.RemoveAsync(first);
        await CarriesAsync(second);
        first = await bed.ConnectAsync("first", priority: 10);
        await CarriesAsync(first);
        Assert.Equal(0ul, ChildBed.Dropped(await bed.Near.GetStatusAsync(false), "source-address"));

        async Task CarriesAsync(ChildPair pair)
        {
            ulong before = await SentAsync(bed, pair);
            await ChildBed.UntilAsync(async () =>
            {
                near.SendPacket(InnerPackets.Udp(NearUser, FarUser));
                return await SentAsync(bed, pair) > before;
            }, "a packet on the pair");
        }
    }

    [Fact]
    public async Task LcoresWithPairsOfTheirOwn_HandNothingOver()
    {
        await using var bed = new ChildBed(nearLcores: 2, farLcores: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUser), near1 = await bed.UserAsync(bed.Near, NearUserOfLcore1, lcore: 1);
        TestUser far = await bed.UserAsync(bed.Far, FarUser), far1 = await bed.UserAsync(bed.Far, "10.9.128.10", lcore: 1);
        // As with a peer that does not know RFC 9611: each pair has its lcore's share of the pool.
        await bed.ConnectAsync(near: "10.8.0.0/17", far: "10.9.0.0/16");
        await bed.ConnectAsync(nearLcore: 1, farLcore: 1, near: "10.8.128.0/17", far: "10.9.0.0/16");
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        ChildBed.AwaitWay(near1, NearUserOfLcore1, far1, "10.9.128.10");
        int before = ChildBed.Received(far), before1 = ChildBed.Received(far1);
        for (int i = 0; i < 100; i++)
        {
            near.SendPacket(InnerPackets.Udp(NearUser, FarUser, seed: i));
            near1.SendPacket(InnerPackets.Udp(NearUserOfLcore1, "10.9.128.10", seed: i));
        }
        Eventually.True(() => ChildBed.Received(far) == before + 100 && ChildBed.Received(far1) == before1 + 100, "all packets");
        DataPlaneStatus nearStatus = await bed.Near.GetStatusAsync(false), farStatus = await bed.Far.GetStatusAsync(false);
        Assert.All(nearStatus.Lcores.Concat(farStatus.Lcores), lcore => Assert.Equal(0ul, lcore.HandedOver));
        Assert.All(nearStatus.Esp, pair => Assert.True(pair.Traffic.SentPackets >= 100));
    }

    [Fact]
    public async Task FallbackPair_CarriesForLcoresWithoutOneOfTheirOwn_HandedOverOnce()
    {
        await using var bed = new ChildBed(nearLcores: 2);
        TestUser near = await bed.UserAsync(bed.Near, NearUser), near1 = await bed.UserAsync(bed.Near, NearUserOfLcore1, lcore: 1);
        TestUser far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair fallback = await bed.ConnectAsync(fallback: true);
        ChildBed.AwaitWay(near1, NearUserOfLcore1, far, FarUser);
        DataPlaneStatus status = await bed.Near.GetStatusAsync(false);
        Assert.True(status.Lcores[1].HandedOver > 0 && status.Lcores[0].TakenOver == status.Lcores[1].HandedOver);

        // A pair for lcore 1's share takes what it covers; what it does not cover goes by the fallback.
        ChildPair own = await bed.ConnectAsync(nearLcore: 1, near: "10.8.128.0/17");
        ulong before = await SentAsync(bed, own);
        await ChildBed.UntilAsync(async () =>
        {
            near1.SendPacket(InnerPackets.Udp(NearUserOfLcore1, FarUser));
            return await SentAsync(bed, own) > before;
        }, "a packet on lcore 1's own pair");
        ulong byFallback = await SentAsync(bed, fallback);
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        Assert.True(await SentAsync(bed, fallback) > byFallback);
    }

    [Fact]
    public async Task PacketsThatThePeerDoesNotTake_AreRefused()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), other = await bed.UserAsync(bed.Near, "10.8.0.200"), far = await bed.UserAsync(bed.Far, FarUser);
        await bed.ConnectAsync(near: "10.8.0.0/26");
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        other.SendPacket(InnerPackets.Udp("10.8.0.200", FarUser));
        Eventually.True(() => ChildBed.Received(other) == 1, "the error");
        DataPlaneStatus status = await bed.Near.GetStatusAsync(false);
        Assert.Equal(1ul, ChildBed.Dropped(status, "selectors"));
    }

    [Fact]
    public async Task PeerThatMoves_IsFoundAtItsNewAddress()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        ChildPair pair = await bed.ConnectAsync();
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        Assert.True(await bed.Near.Children!.MoveAsync(pair.Near, EspMode.Udp, new IPEndPoint(bed.NearAddress, 4500), new IPEndPoint(bed.OtherFarAddress, 4500)));
        Assert.False(await bed.Near.Children!.MoveAsync(pair.Near, EspMode.Raw, new IPEndPoint(bed.NearAddress, 0), new IPEndPoint(bed.FarAddress, 0)));
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        DataPlaneStatus status = await bed.Far.GetStatusAsync(false);
        Assert.True(status.Ports.Single(port => port.Name == $"udp:{bed.OtherFarAddress}:4500").Reading.ReceivedPackets > 0);
    }

    [Fact]
    public async Task ActivityAndLifetimes_AreTold()
    {
        await using var bed = new ChildBed();
        TestUser near = await bed.UserAsync(bed.Near, NearUser), far = await bed.UserAsync(bed.Far, FarUser);
        int told = 0;
        bed.Near.Children!.LifetimePassed = () => Interlocked.Increment(ref told);
        await bed.ConnectAsync(lifetime: new SaLifetime { SoftPackets = 50, HardPackets = 100 });
        Assert.Equal(new EspActivity(Assert.Single((await bed.Near.GetStatusAsync(false)).Esp).InboundSpi, 0, 0, false, false),
            Assert.Single(await bed.Near.Children!.ReadActivityAsync()));
        ChildBed.AwaitWay(near, NearUser, far, FarUser);
        Assert.False(Assert.Single(await bed.Near.Children!.ReadActivityAsync()).SoftLifetime);
        Assert.Equal(0, Volatile.Read(ref told));
        for (int i = 0; i < 60; i++)
            near.SendPacket(InnerPackets.Udp(NearUser, FarUser));
        Eventually.True(() => Volatile.Read(ref told) == 1, "word of the soft limit");
        EspActivity soft = Assert.Single(await bed.Near.Children!.ReadActivityAsync());
        Assert.True(soft is { SoftLifetime: true, HardLifetime: false }, soft.ToString());
        for (int i = 0; i < 140; i++)
            near.SendPacket(InnerPackets.Udp(NearUser, FarUser));
        Eventually.True(() => Volatile.Read(ref told) == 2, "word of the hard limit");
        await ChildBed.UntilAsync(async () => Assert.Single(await bed.Near.Children!.ReadActivityAsync()).HardLifetime, "the hard lifetime");
        EspActivity activity = Assert.Single(await bed.Near.Children!.ReadActivityAsync());
        Assert.Equal((100ul, true), (activity.SentPackets, activity.SoftLifetime));
    }

    [Fact]
    public async Task WhatCannotBeInstalled_IsRefused_AndItsKeysAreZeroed()
    {
        await using var bed = new ChildBed(maximumChildren: 2);
        ChildPair pair = await bed.InstallAsync();
        EspChildRequest good = new()
        {
            Name = "n", Group = "g", IsFallback = false, Priority = 0, Lcore = 0, InboundSpi = Spi.Create(0, 77), OutboundSpi = 999, Esn = true,
            Algorithm = CryptoPlane.Aead.AeadAlgorithm.Aes256Gcm, InboundKey = Key(), OutboundKey = Key(), Mode = EspMode.Udp, Mtu = 1400,
            Local = new IPEndPoint(bed.NearAddress, 4500), Remote = new IPEndPoint(bed.FarAddress, 4500),
            LocalSelectors = [EspSelector.FromPrefix(IPNetwork.Parse("10.8.0.0/16"))], RemoteSelectors = [EspSelector.FromPrefix(IPNetwork.Parse("10.9.0.0/16"))],
        };
        await Refused<ArgumentException>(good with { InboundSpi = pair.Near });
        await Refused<ArgumentException>(good with { InboundSpi = Spi.Create(1, 77) });
        await Refused<ArgumentException>(good with { Lcore = 1, InboundSpi = Spi.Create(1, 77) });
        await Refused<ArgumentException>(good with { Mode = EspMode.Raw });
        await Refused<ArgumentException>(good with { Local = new IPEndPoint(IPAddress.Loopback, 4500) });
        await Refused<ArgumentException>(good with { OutboundKey = new byte[3] });
        await bed.Near.Children!.InstallAsync(good with { InboundKey = Key(), OutboundKey = Key() });
        await Refused<InvalidOperationException>(good with { InboundSpi = Spi.Create(0, 78) });
        await Refused<InvalidOperationException>(good with { InboundSpi = Spi.Create(0, 79), Group = "another" });
        Assert.Equal(2, (await bed.Near.GetStatusAsync(false)).Esp.Count);

        static byte[] Key() => [.. Enumerable.Repeat((byte)7, 36)];

        async Task Refused<T>(EspChildRequest request) where T : Exception
        {
            request = request with { InboundKey = Key(), OutboundKey = request.OutboundKey.Length == 3 ? [7, 7, 7] : Key() };
            await Assert.ThrowsAnyAsync<T>(() => bed.Near.Children!.InstallAsync(request));
            Assert.All(request.InboundKey.Concat(request.OutboundKey), value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public async Task IkeSocket_GetsWhatBeginsWithZero_AndSendsFromEspsPort()
    {
        await using var bed = new ChildBed(nearLcores: 2);
        Socket ike = Assert.Single(bed.Near.IkeSockets);
        using var peer = new UdpClient(new IPEndPoint(bed.FarAddress, 0));
        byte[] message = [0, 0, 0, 0, .. Enumerable.Repeat((byte)5, 60)];
        peer.Send(message, new IPEndPoint(bed.NearAddress, 4500));
        peer.Send([1, .. message], new IPEndPoint(bed.NearAddress, 4500));
        byte[] buffer = new byte[200];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        Eventually.True(() => ike.Available > 0, "the message");
        Assert.Equal(message, buffer[..ike.ReceiveFrom(buffer, ref from)]);
        Assert.Equal(peer.Client.LocalEndPoint, from);
        Assert.Equal(0, ike.Available);
        ike.SendTo(message, from);
        IPEndPoint? answerer = null;
        Assert.Equal(message, peer.Receive(ref answerer));
        Assert.Equal(new IPEndPoint(bed.NearAddress, 4500), answerer);
    }

    /// <summary>As a device that puts datagrams of one flow together does it (GRO): the filter sees the first one alone.</summary>
    [Fact]
    public async Task IkeMessageBehindEspInOneSuperPacket_IsHandedToIke()
    {
        await using var bed = new ChildBed(nearLcores: 2);
        using var peer = new UdpClient(new IPEndPoint(bed.FarAddress, 0));
        const int solUdp = 17, udpSegment = 103, size = 100;
        peer.Client.SetRawSocketOption(solUdp, udpSegment, BitConverter.GetBytes(size));
        byte[] message = [0, 0, 0, 0, .. Enumerable.Repeat((byte)5, size - 4)];
        peer.Send([2, .. Enumerable.Repeat((byte)9, size - 1), .. message], new IPEndPoint(bed.NearAddress, 4500));
        var taken = new List<(IPEndPoint Local, IPEndPoint Remote, byte[] Datagram)>();
        Eventually.True(() => !bed.Near.StrayIke!.IsEmpty, "the message");
        bed.Near.StrayIke!.Take((local, remote, datagram) => taken.Add((local, remote, datagram.ToArray())));
        (IPEndPoint local, IPEndPoint remote, byte[] datagram) = Assert.Single(taken);
        Assert.Equal((new IPEndPoint(bed.NearAddress, 4500), (IPEndPoint)peer.Client.LocalEndPoint!), (local, remote));
        Assert.Equal(message, datagram);
        Assert.Equal(1ul, (await bed.Near.GetStatusAsync(false)).Lcores[1].HandedOver);
    }

    private static async Task<ulong> SentAsync(ChildBed bed, ChildPair pair) =>
        (await bed.Near.Children!.ReadActivityAsync()).Single(activity => activity.InboundSpi == pair.Near).SentPackets;
}
