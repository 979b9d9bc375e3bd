using VpnBroker.Status;

namespace VpnBroker.Monitoring;

/// <summary>The rates of one moment, summed up for charts.</summary>
/// <param name="Time">When, in Unix milliseconds.</param>
/// <param name="Inner">Inner packets by kind of port, over all lcores.</param>
/// <param name="Ports">Packets on the wire by port: the device's own count, else the sum over lcores.</param>
/// <param name="Drops">Packets dropped per second, for whatever reason.</param>
/// <param name="Busy">The share of its time that each lcore worked, 0 to 1, in the order of their indices.</param>
public sealed record RatePoint(
    long Time, IReadOnlyDictionary<string, TrafficRate> Inner, IReadOnlyDictionary<string, TrafficRate> Ports, double Drops,
    IReadOnlyList<double> Busy)
{
    /// <summary>Sums a report up; null where it has no rates yet.</summary>
    internal static RatePoint? Of(StatusReport report) => report.RateSeconds is null ? null : new RatePoint(
        report.Time.ToUnixTimeMilliseconds(),
        Sum(report.Lcores.SelectMany(lcore => lcore.Traffic)),
        Sum(report.Ports.GroupBy(port => port.Traffic.Name).SelectMany(WholeOrParts).Select(part => part.Traffic)),
        // An lcore's drops have those of its ESP SAs in them.
        Math.Round(report.Lcores.Sum(lcore => Sum(lcore.DropRates)) + report.Ports.Sum(port => Sum(port.DropRates)), 1),
        [.. report.Lcores.Select(lcore => lcore.Busy ?? 0)]);

    private static IEnumerable<PortReport> WholeOrParts(IGrouping<string, PortReport> port)
    {
        PortReport[] whole = [.. port.Where(part => part.Lcore is null)];
        return whole.Length != 0 ? whole : port;
    }

    private static Dictionary<string, TrafficRate> Sum(IEnumerable<TrafficReport> parts) => parts.GroupBy(part => part.Name)
        .ToDictionary(group => group.Key, group => group.Aggregate(default(TrafficRate), (sum, part) => sum + (part.Rate ?? default)));

    private static double Sum(IReadOnlyDictionary<string, double>? rates) => rates?.Values.Sum() ?? 0;
}
