using System.Net;
using System.Net.Sockets;
using CryptoPlane.Esp;
using CryptoPlane.TestKit;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.DataPlane.Children;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>
/// Two brokers with two lcores each: every lcore's traffic goes on its own SAs (RFC 9611), or is handed over where it cannot be steered; in either
/// case nothing is lost, and nothing overtakes anything within a flow, also while SAs are replaced.
/// </summary>
public sealed class LcoresTests
{
    private const string NearPool = "10.8.0.0/16", FarPool = "10.9.0.0/16";

    private readonly IPAddress _near, _far;

    public LcoresTests() => (_near, _far) = IpsecEnd.Addresses();

    [Fact]
    public async Task PerLcore_ThroughRekeys_FlowsKeepTheirOrder_AndNothingIsHandedOver()
    {
        await using var far = new IpsecEnd(_far, _near, FarPool, NearPool, lcores: 2, perLcore: true);
        await using var near = new IpsecEnd(_near, _far, NearPool, FarPool, lcores: 2, start: true, perLcore: true);
        NumberedFlow[] flows = await FlowsAsync(near, far, children: 3);
        (ulong nearBefore, ulong farBefore) = (await HandedOverAsync(near), await HandedOverAsync(far));
        await RekeyAsync(near, far, flows);
        Assert.Equal((nearBefore, farBefore), (await HandedOverAsync(near), await HandedOverAsync(far)));

        // The fallback, which RFC 9611 §2 wants, and one for each lcore.
        Assert.Equal([null, 0, 1], (await near.ChildrenAsync()).Select(child => child.Resource).Order());
        DataPlaneStatus status = await near.DataPlane.GetStatusAsync(false);
        Assert.Equal(2, status.Esp.Where(pair => pair.Sends && pair.Traffic.ReceivedPackets > 0).Select(pair => pair.Lcore).Distinct().Count());
    }

    [Fact]
    public async Task PerLcore_WithoutSteering_WhatComesToTheWrongLcoreIsHandedOver_InOrder()
    {
        await using var far = new IpsecEnd(_far, _near, FarPool, NearPool, lcores: 2, perLcore: true);
        await using var near = new IpsecEnd(_near, _far, NearPool, FarPool, lcores: 2, start: true, perLcore: true);
        Array.ForEach([near, far], end => GiveEverythingToLcore0(Assert.Single(end.DataPlane.IkeSockets)));
        NumberedFlow[] flows = await FlowsAsync(near, far, children: 3);
        (ulong nearBefore, ulong farBefore) = (await HandedOverAsync(near), await HandedOverAsync(far));
        await RekeyAsync(near, far, flows);

        // Lcore 1 of either end has one flow each way; what it gets has come to lcore 0. Lcore 0 sees all of its own.
        foreach ((IpsecEnd end, ulong before, NumberedFlow own) in new[] { (near, nearBefore, flows[3]), (far, farBefore, flows[1]) })
        {
            DataPlaneStatus status = await end.DataPlane.GetStatusAsync(false);
            Assert.Equal((ulong)own.Sent, await HandedOverAsync(end) - before);
            Assert.Equal((0ul, status.Lcores[0].HandedOver), (status.Lcores[1].HandedOver, status.Lcores[1].TakenOver));
        }
    }

    /// <summary>One lcore has the SAs of all: what replaces them must be the same lcore's, or packets would go two ways at a time.</summary>
    [Fact]
    public async Task WithoutSasOfTheirOwn_ThroughRekeys_FlowsKeepTheirOrder()
    {
        await using var far = new IpsecEnd(_far, _near, FarPool, NearPool, lcores: 2);
        await using var near = new IpsecEnd(_near, _far, NearPool, FarPool, lcores: 2, start: true);
        NumberedFlow[] flows = await FlowsAsync(near, far, children: 1);
        int[] lcores = await LcoresAsync();
        await RekeyAsync(near, far, flows);
        Assert.Equal(lcores, await LcoresAsync());
        Assert.True(await HandedOverAsync(near) > 0 && await HandedOverAsync(far) > 0);

        async Task<int[]> LcoresAsync() =>
            [Spi.LcoreOf(Assert.Single(await near.ChildrenAsync()).Id.InboundSpi), Spi.LcoreOf(Assert.Single(await far.ChildrenAsync()).Id.InboundSpi)];
    }

    [Fact]
    public async Task PerLcore_WornOutSas_AreReplacedBeforeTheyStop()
    {
        await using var far = new IpsecEnd(_far, _near, FarPool, NearPool, lcores: 2, perLcore: true);
        await using var near = new IpsecEnd(_near, _far, NearPool, FarPool, lcores: 2, start: true, perLcore: true,
            change: peer => peer with { Children = [.. peer.Children.Select(child => child with { LifetimePackets = 2000 })] });
        NumberedFlow[] flows = await FlowsAsync(near, far, children: 3);
        HashSet<uint> seen = [.. (await near.ChildrenAsync()).Select(child => child.Id.InboundSpi)];
        // Three generations of the two lcores' pairs; nobody uses the third pair.
        await ChildBed.UntilAsync(async () =>
        {
            Array.ForEach(flows, flow => flow.Send(10));
            seen.UnionWith((await near.ChildrenAsync()).Select(child => child.Id.InboundSpi));
            return seen.Count >= 3 + 4;
        }, "two rekeys of each lcore's pair");
        Array.ForEach(flows, flow => flow.AssertAllInOrder());
        Assert.DoesNotContain((await near.DataPlane.GetStatusAsync(false)).Lcores.SelectMany(lcore => lcore.Drops), drop => drop is { Reason: "esp-lifetime-expired", Packets: > 0 });
    }

    /// <summary>A user on each lcore of either end; user n of the one speaks with user n of the other.</summary>
    /// <returns>The flows of users 0 and 1 there, then those back.</returns>
    private static async Task<NumberedFlow[]> FlowsAsync(IpsecEnd near, IpsecEnd far, int children)
    {
        (string Near, string Far)[] addresses = [("10.8.0.10", "10.9.0.10"), ("10.8.128.10", "10.9.128.10")];
        var there = new List<NumberedFlow>();
        var back = new List<NumberedFlow>();
        await ChildBed.UntilAsync(async () => (await near.ChildrenAsync()).Count == children && (await far.ChildrenAsync()).Count == children, $"{children} child SAs");
        for (int lcore = 0; lcore < addresses.Length; lcore++)
        {
            TestUser nearUser = await near.UserAsync(addresses[lcore].Near, lcore), farUser = await far.UserAsync(addresses[lcore].Far, lcore);
            there.Add(new NumberedFlow(nearUser, addresses[lcore].Near, farUser, addresses[lcore].Far));
            back.Add(new NumberedFlow(farUser, addresses[lcore].Far, nearUser, addresses[lcore].Near));
            // Until routes and the lcores' own SAs are in use on both sides, packets may be handed over.
            ChildBed.AwaitWay(nearUser, addresses[lcore].Near, farUser, addresses[lcore].Far);
            ChildBed.AwaitWay(farUser, addresses[lcore].Far, nearUser, addresses[lcore].Near);
        }
        await ChildBed.UntilAsync(async () => await SendersAsync(near) == children && await SendersAsync(far) == children, "all pairs to be in use");
        return [.. there, .. back];

        static async Task<int> SendersAsync(IpsecEnd end) => (await end.DataPlane.GetStatusAsync(false)).Esp.Count(pair => pair.Sends);
    }

    /// <summary>Rekeys the child SAs from either side, and the IKE SA, while the flows go on; then all of them have come.</summary>
    private static async Task RekeyAsync(IpsecEnd near, IpsecEnd far, NumberedFlow[] flows)
    {
        foreach ((IpsecEnd who, bool ike) in new[] { (near, false), (far, false), (near, true), (far, false) })
        {
            uint[] children = [.. (await near.ChildrenAsync()).Select(child => child.Id.InboundSpi)];
            ulong[] sas = [.. (await near.SasAsync()).Select(sa => sa.IkeSa)];
            await who.Ike.RekeyAsync("other", ike);
            await ChildBed.UntilAsync(async () =>
            {
                Array.ForEach(flows, flow => flow.Send(5));
                return ike
                    ? (await near.SasAsync()) is [{ Children.Count: > 0 } sa] && !sas.Contains(sa.IkeSa)
                    : (await near.ChildrenAsync()) is var now && now.Count == children.Length && !now.Any(child => children.Contains(child.Id.InboundSpi));
            }, $"a rekey of the {(ike ? "IKE SA" : "child SAs")}");
        }
        Array.ForEach(flows, flow => flow.Send(50));
        Array.ForEach(flows, flow => flow.AssertAllInOrder());
    }

    private static async Task<ulong> HandedOverAsync(IpsecEnd end) =>
        (await end.DataPlane.GetStatusAsync(false)).Lcores.Aggregate(0ul, (sum, lcore) => sum + lcore.HandedOver);

    /// <summary>
    /// Replaces the filter of a group of sockets: IKE keeps what begins with a zero byte, everything else comes to lcore 0, as by a device with
    /// one queue.
    /// </summary>
    private static unsafe void GiveEverythingToLcore0(Socket member)
    {
        const int solSocket = 1, soAttachReusePortCbpf = 51;
        const ushort loadByte = 0x30, jumpEqual = 0x15, returnConstant = 0x06;
        const uint controlSocket = 2;
        // struct sock_filter: code, two jumps, an operand.
        ulong[] program = [Instruction(loadByte, 0, 0, 0), Instruction(jumpEqual, 0, 1, 0), Instruction(returnConstant, 0, 0, controlSocket), Instruction(returnConstant, 0, 0, 0)];
        fixed (ulong* first = program)
        {
            byte[] description = new byte[16];
            BitConverter.TryWriteBytes(description, (ushort)program.Length);
            BitConverter.TryWriteBytes(description.AsSpan(8), (ulong)first);
            member.SetRawSocketOption(solSocket, soAttachReusePortCbpf, description);
        }

        static ulong Instruction(ushort code, byte ifTrue, byte ifFalse, uint operand) => code | ((ulong)ifTrue << 16) | ((ulong)ifFalse << 24) | ((ulong)operand << 32);
    }
}
