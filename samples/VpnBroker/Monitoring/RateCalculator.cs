using VpnBroker.Status;

namespace VpnBroker.Monitoring;

/// <summary>Rates between two readings of the counters.</summary>
internal static class RateCalculator
{
    /// <summary>Below this time two readings say little of a rate: lcores work in bursts.</summary>
    public const double MinimumSeconds = 0.25;

    /// <summary>The later report with rates in it; users' have none (<see cref="UserRates"/>).</summary>
    /// <param name="before">The earlier reading.</param>
    /// <param name="now">The later one.</param>
    /// <returns><paramref name="now"/> itself where the time between is too short.</returns>
    public static StatusReport Between(StatusReport before, StatusReport now)
    {
        double seconds = now.UptimeSeconds - before.UptimeSeconds;
        if (seconds < MinimumSeconds)
            return now;
        Dictionary<int, LcoreReport> lcores = before.Lcores.ToDictionary(lcore => lcore.Index);
        Dictionary<(string, int?), PortReport> ports = before.Ports.ToDictionary(port => (port.Traffic.Name, port.Lcore));
        Dictionary<(string, string), EspReport> pairs = before.Esp.ToDictionary(pair => (pair.Tunnel, pair.InboundSpi));
        return now with
        {
            RateSeconds = Math.Round(seconds, 3),
            Lcores = [.. now.Lcores.Select(lcore => Lcore(lcores.GetValueOrDefault(lcore.Index), lcore, seconds))],
            Ports = [.. now.Ports.Select(port => ports.GetValueOrDefault((port.Traffic.Name, port.Lcore)) is var last ? port with
            {
                Traffic = port.Traffic with { Rate = Rate(last?.Traffic, port.Traffic, seconds) },
                DropRates = Rates(last?.Drops, port.Drops, seconds),
            } : port)],
            Esp = [.. now.Esp.Select(pair => pairs.GetValueOrDefault((pair.Tunnel, pair.InboundSpi)) is var last ? pair with
            {
                Traffic = pair.Traffic with { Rate = Rate(last?.Traffic, pair.Traffic, seconds) },
                DropRates = Rates(last?.Drops, pair.Drops, seconds),
            } : pair)],
        };
    }

    /// <summary>A rate; what was not there before, or began again, has counted from 0.</summary>
    public static TrafficRate Rate(TrafficReport? before, TrafficReport now, double seconds) => new(
        PerSecond(before?.ReceivedPackets ?? 0, now.ReceivedPackets, seconds),
        8 * PerSecond(before?.ReceivedBytes ?? 0, now.ReceivedBytes, seconds),
        PerSecond(before?.SentPackets ?? 0, now.SentPackets, seconds),
        8 * PerSecond(before?.SentBytes ?? 0, now.SentBytes, seconds));

    private static LcoreReport Lcore(LcoreReport? before, LcoreReport now, double seconds)
    {
        double busy = Increase(before?.BusyNanoseconds ?? 0, now.BusyNanoseconds);
        double all = busy + Increase(before?.IdleNanoseconds ?? 0, now.IdleNanoseconds);
        return now with
        {
            Busy = all <= 0 ? null : Math.Round(busy / all, 4),
            Traffic =
            [
                .. now.Traffic.Select(side => side with { Rate = Rate(before?.Traffic.FirstOrDefault(last => last.Name == side.Name), side, seconds) }),
            ],
            DropRates = Rates(before?.Drops, now.Drops, seconds),
        };
    }

    private static Dictionary<string, double> Rates(
        IReadOnlyDictionary<string, ulong>? before, IReadOnlyDictionary<string, ulong> now, double seconds) => now.ToDictionary(drop => drop.Key, drop => PerSecond(before?.GetValueOrDefault(drop.Key) ?? 0, drop.Value, seconds));

    private static double PerSecond(ulong before, ulong now, double seconds) => Math.Round(Increase(before, now) / seconds, 1);

    private static ulong Increase(ulong before, ulong now) => now < before ? now : now - before;
}
