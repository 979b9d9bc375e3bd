using System.Net;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Status;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane;

/// <summary>Sessions of lcores that run: read while packets flow, and reported so that the records' sums are the counters.</summary>
public sealed class FlowsOfHostTests
{
    private const string Near = "10.8.0.10", Far = "10.8.128.10";

    [Fact]
    public async Task Sessions_are_shown_while_they_live_and_records_add_up_when_they_have_ended()
    {
        BrokerConfig config = new()
        {
            Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
            Dtls = new DtlsConfig { Enabled = false },
            Lcores = new LcoreConfig { Cpus = [-1, -1] },
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/16") }],
            Limits = new LimitsConfig { Sessions = 50 },
            Flows = new FlowConfig { Maximum = 4096, RecordQueue = 1024, ActiveTimeoutSeconds = 1 },
            Export = new ExportConfig { Sinks = [] },
        };
        DataPlaneHost host = DataPlaneHost.Start(config, [], NullLoggerFactory.Instance);
        using var near = new TestUser(1);
        using var far = new TestUser(2);
        await host.AttachUserAsync(DataPlaneHostTests.RequestOf(near, 1, 0, Near));
        await host.AttachUserAsync(DataPlaneHostTests.RequestOf(far, 2, 1, Far));
        for (ushort port = 1; port <= 20; port++)
        {
            for (int i = 0; i < port; i++)
                near.SendPacket(FlowPackets.Udp(Near, Far, port, 53, 100));
            far.SendPacket(FlowPackets.Udp(Far, Near, 53, port, 200));
        }
        Eventually.True(() => Receive(far) == 210 && Receive(near) == 20, "all packets");

        var collector = new FlowsCollector(host, null, TimeProvider.System);
        FlowsReport report = await collector.CollectAsync(new FlowsRequest(Sort: "packets", Top: 3, Protocol: "udp", Prefix: "10.8.0.0/24", Tunnel: "users"));
        Assert.Equal((20, 3), (report.Matching, report.Flows.Count));
        Assert.Equal([20, 19, 18], report.Flows.Select(flow => flow.Initiator.Address == Near ? flow.Initiator.Port : flow.Responder.Port));
        Assert.All(report.Flows, flow => Assert.Equal((0, "udp", "answered"), (flow.Lcore, flow.Protocol, flow.State)));
        Assert.Equal((20UL, 1UL), Directions(report.Flows[0]));
        Assert.Equal(1, (await collector.CollectAsync(new FlowsRequest(Port: 7))).Matching);
        Assert.Equal(0, (await collector.CollectAsync(new FlowsRequest(Port: 4000))).Matching);
        Assert.Equal(0, (await collector.CollectAsync(new FlowsRequest(User: "nobody"))).Matching);
        foreach (FlowsRequest wrong in new FlowsRequest[] { new(Sort: "luck"), new(Prefix: "x"), new(Protocol: "y"), new(State: "z"), new(Tunnel: "dc9"), new(Port: 70_000) })
            await Assert.ThrowsAsync<FormatException>(() => collector.CollectAsync(wrong));

        DataPlaneStatus status = await host.GetStatusAsync(includeTunnels: true);
        FlowStatus flows = status.Lcores[0].Flows!.Value;
        Assert.Equal((20, 4096, 20UL), (flows.Active, flows.Maximum, flows.Begun));
        IReadOnlyList<FlowRecordRing> rings = host.FlowRecords;
        Assert.Equal(2, rings.Count);
        await host.StopAsync(TimeSpan.FromSeconds(10));
        var records = new List<FlowRecord>();
        foreach (FlowRecordRing ring in rings)
        {
            while (ring.TryDequeue(out FlowRecord record))
                records.Add(record);
            ring.Dispose();
        }
        // Whoever began, what the one sent is in the records, and what the other did.
        UserTunnelStatus tunnel = status.Tunnels.Single(tunnel => tunnel.TunnelId == 1);
        ulong sent = 0, received = 0;
        foreach (FlowRecord record in records)
        {
            bool isNear = record.Source.ToString() == Near;
            sent += isNear ? record.Forward.Octets : record.Reverse.Octets;
            received += isNear ? record.Reverse.Octets : record.Forward.Octets;
        }
        Assert.Equal((tunnel.Traffic.ReceivedBytes, tunnel.Traffic.SentBytes), (sent, received));
        Assert.Equal(20, records.Select(record => record.FlowId).Distinct().Count());
        Assert.All(records.GroupBy(record => record.FlowId), group => Assert.Equal(FlowEndReason.Forced, group.Last().EndReason));
        Assert.All(records, record => Assert.InRange(record.Start, DateTimeOffset.UtcNow.AddMinutes(-10).ToUnixTimeMilliseconds() * 1_000_000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000));
        await Assert.ThrowsAsync<InvalidOperationException>(() => collector.CollectAsync(new FlowsRequest()));
    }

    [Fact]
    public async Task Without_sessions_there_is_nothing_to_read()
    {
        DataPlaneHost host = DataPlaneHost.Start(
            new BrokerConfig
            {
                Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
                Dtls = new DtlsConfig { Enabled = false },
                Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/16") }],
                Limits = new LimitsConfig { Sessions = 5 },
                Flows = new FlowConfig { Enabled = false },
                Export = new ExportConfig { Sinks = [] },
            },
            [], NullLoggerFactory.Instance);
        int seen = 0;
        await host.ReadFlowsAsync(default, _ => seen++);
        Assert.Equal((0, 0), (seen, host.FlowRecords.Count));
        Assert.All((await host.GetStatusAsync(includeTunnels: false)).Lcores, lcore => Assert.Null(lcore.Flows));
        await host.StopAsync(TimeSpan.FromSeconds(10));
    }

    private static (ulong FromNear, ulong FromFar) Directions(FlowReport flow) =>
        flow.Initiator.Address == Near ? (flow.Sent.Packets, flow.Received.Packets) : (flow.Received.Packets, flow.Sent.Packets);

    private static int Receive(TestUser user)
    {
        user.Receive();
        return user.Packets.Count;
    }
}
