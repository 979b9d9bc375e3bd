using System.Globalization;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Listening;
using VpnBroker.Sessions;

namespace VpnBroker.Status;

/// <summary>Puts a report together from the data plane's counters and the sessions.</summary>
internal sealed class StatusCollector(IDataPlane dataPlane, SessionTable? sessions, GcPauseMonitor pauses, TimeProvider clock)
{
    private readonly long _start = clock.GetTimestamp();

    /// <summary>Reads everything once.</summary>
    /// <param name="users">Whether sessions are listed.</param>
    /// <param name="halfOpen">Connections that have not become a tunnel.</param>
    /// <param name="refused">Connections that were refused.</param>
    /// <param name="front">Where data channels begin; null where none are offered.</param>
    public async Task<StatusReport> CollectAsync(bool users, int halfOpen, long refused, DtlsFront? front)
    {
        DataPlaneStatus status = await dataPlane.GetStatusAsync(users);
        DateTimeOffset now = clock.GetUtcNow();
        return new StatusReport
        {
            Time = now,
            ProcessId = Environment.ProcessId,
            UptimeSeconds = Math.Round(clock.GetElapsedTime(_start).TotalSeconds, 3),
            Sessions = sessions?.Count ?? 0,
            HalfOpen = halfOpen,
            RefusedConnections = refused,
            RefusedCookies = sessions?.RefusedCookies ?? 0,
            Gc = new GcReport(GC.CollectionCount(0), pauses.Worst.TotalMilliseconds, pauses.Last.TotalMilliseconds, GC.GetTotalMemory(forceFullCollection: false)),
            Lcores = [.. status.Lcores.Select(lcore => new LcoreReport(lcore.Index, lcore.Cpu, lcore.Tunnels, lcore.BusyNanoseconds, lcore.IdleNanoseconds,
                [.. lcore.Ports.Select(Traffic)], Drops(lcore.Drops))
            {
                Flows = lcore.Flows is { } flows ? Table(flows) : null,
                IcmpSent = lcore.IcmpSent,
                ResetsSent = lcore.ResetsSent,
            })],
            Ports = [.. status.Ports.Select(Port)],
            Esp = [.. status.Esp.Select(pair => new EspReport(pair.Tunnel, pair.Lcore, $"0x{pair.InboundSpi:x8}", $"0x{pair.OutboundSpi:x8}",
                pair.NextSequence, pair.SequenceLimit, Traffic(pair.Traffic), Drops(pair.Drops)))],
            PeerShares = [.. status.PeerShares.Select(share => new PeerShareReport(
                share.Tunnel, share.Weight, Math.Round(share.Share, 4), [.. share.Prefixes.Select(prefix => prefix.ToString())]))],
            Queues = [.. QueuesOf(status, sessions)],
            Dpdk = status.Dpdk is { } dpdk ? Report(dpdk) : null,
            Dtls = front is null ? null : front.Report(status),
            Policy = status.Policy is { } policy
                ? new PolicyReport(policy.Generation, [.. policy.Rules.Select(rule => new PolicyRuleReport(
                    rule.Name, rule.Action.ToString().ToLowerInvariant(), rule.Flows, rule.Packets, rule.Octets))])
                : null,
            Users = users && sessions is not null ? ListUsers(sessions, status, now) : [],
        };
    }

    private static SessionReport[] ListUsers(SessionTable sessions, DataPlaneStatus status, DateTimeOffset now)
    {
        Dictionary<ulong, UserTunnelStatus> tunnels = status.Tunnels.ToDictionary(tunnel => tunnel.TunnelId);
        return [.. sessions.List().Select(session =>
        {
            UserTunnelStatus? tunnel = tunnels.GetValueOrDefault(session.TunnelId);
            return new SessionReport(session.Id, session.User, session.Group, session.Remote.ToString(),
                session.Lease?.IPv4?.ToString(), session.Lease?.IPv6?.ToString(), tunnel?.Lcore ?? -1, tunnel is not null,
                (long)(now - session.Created).TotalSeconds, Traffic(tunnel?.Traffic ?? default), tunnel?.Drops ?? 0, tunnel?.UnsentBytes ?? 0,
                session.IsIke ? "ikev2" : "openconnect")
            {
                Data = tunnel is null ? null : session.IsIke ? "esp" : tunnel.DataByDtls == true ? "dtls" : "tls",
            };
        })];
    }

    /// <summary>The classes, and the tunnels that have had something to send.</summary>
    private static IEnumerable<QueueReport> QueuesOf(DataPlaneStatus status, SessionTable? sessions)
    {
        foreach (QueueStatus queue in status.Queues)
            yield return Queue("class", queue.Class, null, queue);
        foreach (EspPairStatus pair in status.Esp)
        {
            foreach (QueueStatus queue in pair.Queues.Where(IsUsed))
                yield return Queue("esp", pair.Tunnel, null, queue);
        }
        if (status.Tunnels.Count == 0 || sessions is null)
            yield break;
        Dictionary<ulong, string> names = sessions.List().ToDictionary(session => session.Id, session => session.User);
        foreach (UserTunnelStatus tunnel in status.Tunnels)
        {
            foreach (QueueStatus queue in tunnel.Queues.Where(IsUsed))
                yield return Queue("user", names.GetValueOrDefault(tunnel.SessionId, "-"), tunnel.SessionId, queue);
        }
    }

    private static bool IsUsed(QueueStatus queue) => queue.SentPackets + queue.WaitingPackets != 0 || queue.Drops.Count != 0;

    private static QueueReport Queue(string kind, string name, ulong? session, QueueStatus queue) => new(
        kind, name, session, queue.Port, queue.Lcore, queue.WaitingPackets, queue.WaitingBytes, queue.SentPackets, queue.SentBytes, queue.MarkedPackets,
        Drops(queue.Drops), Math.Round(queue.DelayNanoseconds / 1e6 / Math.Max(1, queue.SentPackets), 3), Math.Round(queue.LargestDelayNanoseconds / 1e6, 3))
    {
        DelaySeconds = queue.DelayNanoseconds / 1e9,
    };

    private static FlowTableReport Table(in FlowStatus flows) => new(flows.Active, flows.Denied, flows.Maximum, flows.Begun, flows.Expired,
        flows.Evicted, flows.DeniedEvicted, flows.Untracked, flows.Records, flows.RecordsLost);

    private static PortReport Port(DevicePortStatus port)
    {
        PortReading reading = port.Reading;
        var traffic = new TrafficReport(port.Name, reading.ReceivedPackets, reading.ReceivedBytes, reading.SentPackets, reading.SentBytes);
        return new PortReport(port.Lcore, traffic, Drops(reading.Drops), reading.Counters.ToDictionary(counter => counter.Name, counter => counter.Value));
    }

    private static DpdkReport Report(DpdkStatus dpdk) => new(dpdk.Version, [.. dpdk.Crypto.Select(device => new CryptoDeviceReport(
        device.Name, device.Driver, device.State.ToString().ToLowerInvariant(), [.. device.Queues.Select(queue => new CryptoQueueReport(
            queue.Lcore, queue.ByDevice, queue.ByCpu, queue.DeviceErrors, queue.Retried, queue.Lost))]))],
        [.. dpdk.Ports.Select(port => new EthernetPortReport(
            port.Name, port.Device, port.Driver, string.Join(':', port.Mac.GetAddressBytes().Select(part => part.ToString("x2", CultureInfo.InvariantCulture))),
            port.IsInside ? "inside" : "outside", port.IsRemoved ? "removed" : port.IsUp ? "up" : "down", port.Megabits, port.Queues, port.SteersEsp))]);

    private static TrafficReport Traffic(PortStatus port) =>
        new(port.Name ?? "", port.ReceivedPackets, port.ReceivedBytes, port.SentPackets, port.SentBytes);

    private static Dictionary<string, ulong> Drops(IReadOnlyList<DropStatus> drops) =>
        drops.Where(drop => drop.Packets != 0).ToDictionary(drop => drop.Reason, drop => drop.Packets);
}
