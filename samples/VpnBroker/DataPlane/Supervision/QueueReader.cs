using CryptoPlane.Traffic;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Reads what waits on the lcores, without stopping them. Supervisor's thread.</summary>
internal static class QueueReader
{
    /// <summary>The classes of an lcore; none where traffic is not managed.</summary>
    public static IEnumerable<QueueStatus> ReadClasses(LcoreUnit unit)
    {
        if (unit.Context.Queues is not { } queues)
            yield break;
        foreach (TrafficScheduler scheduler in (TrafficScheduler[])[queues.Outside, queues.Inside])
        {
            for (int i = 0; i < scheduler.ClassCount; i++)
                yield return Read(unit, queues, scheduler, scheduler.ReadClass(i), unit.Context.Traffic!.Classes[i].Name);
        }
    }

    /// <summary>What waits for a user, and what came from it; none where traffic is not managed.</summary>
    public static IReadOnlyList<QueueStatus> ReadUser(LcoreUnit unit, int slot) => ReadTunnel(unit, slot);

    /// <summary>The same of an ESP tunnel.</summary>
    public static IReadOnlyList<QueueStatus> ReadEsp(LcoreUnit unit, int espTunnel) =>
        unit.Context.Queues is { } queues ? ReadTunnel(unit, queues.NodeOfEsp(espTunnel)) : [];

    private static IReadOnlyList<QueueStatus> ReadTunnel(LcoreUnit unit, int node) => unit.Context.Queues is { } queues
        ? [Read(unit, queues, queues.Outside, queues.Outside.ReadTunnel(node), ""), Read(unit, queues, queues.Inside, queues.Inside.ReadTunnel(node), "")]
        : [];

    private static QueueStatus Read(LcoreUnit unit, QueueStage queues, TrafficScheduler scheduler, in QueueCounters counters, string name) => new()
    {
        Class = name,
        Port = scheduler == queues.Outside ? "outside" : "inside",
        Lcore = unit.Context.Index,
        WaitingPackets = counters.WaitingPackets,
        WaitingBytes = counters.WaitingBytes,
        SentPackets = counters.SentPackets,
        SentBytes = counters.SentBytes,
        MarkedPackets = counters.MarkedPackets,
        DelayNanoseconds = counters.DelayNanoseconds,
        LargestDelayNanoseconds = counters.LargestDelayNanoseconds,
        Drops = [.. DropsOf(counters)],
    };

    private static List<DropStatus> DropsOf(in QueueCounters counters)
    {
        var drops = new List<DropStatus>();
        foreach (TrafficDropReason reason in Enum.GetValues<TrafficDropReason>())
        {
            if (counters.Dropped(reason) is not 0 and long packets)
                drops.Add(new DropStatus(DropReasonNames.Of(QueueStage.ReasonOf(reason)), (ulong)packets));
        }
        return drops;
    }
}
