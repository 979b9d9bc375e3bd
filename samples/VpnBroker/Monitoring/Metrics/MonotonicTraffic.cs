using System.Runtime.InteropServices;
using VpnBroker.Status;

namespace VpnBroker.Monitoring.Metrics;

/// <summary>
/// Counters that never fall, made of some that begin again: SAs are replaced and users reconnect, but a tunnel's and a user's totals must go
/// on, since a fall looks like a restart to whoever reads them. What a part carried behind its last reading is missing in the total.
/// </summary>
/// <typeparam name="TPart">What names a part that begins at 0: an SPI, a session.</typeparam>
internal sealed class MonotonicTraffic<TPart> where TPart : notnull
{
    private readonly Dictionary<string, Total> _totals = new(StringComparer.Ordinal);
    private Dictionary<(string, TPart), TrafficReport> _last = [];

    /// <summary>The totals by name.</summary>
    public IEnumerable<TrafficReport> Totals => _totals.Select(total => new TrafficReport(
        total.Key, total.Value.ReceivedPackets, total.Value.ReceivedBytes, total.Value.SentPackets, total.Value.SentBytes));

    /// <summary>Adds what the parts have carried since the last reading.</summary>
    /// <param name="parts">All parts that there are now.</param>
    /// <param name="keep">Whether the total of a name without parts is kept.</param>
    public void Take(IEnumerable<(string Name, TPart Part, TrafficReport Traffic)> parts, bool keep)
    {
        var now = new Dictionary<(string, TPart), TrafficReport>();
        foreach ((string name, TPart part, TrafficReport traffic) in parts)
        {
            now[(name, part)] = traffic;
            TrafficReport? before = _last.GetValueOrDefault((name, part));
            ref Total total = ref CollectionsMarshal.GetValueRefOrAddDefault(_totals, name, out _);
            total.ReceivedPackets += Increase(before?.ReceivedPackets, traffic.ReceivedPackets);
            total.ReceivedBytes += Increase(before?.ReceivedBytes, traffic.ReceivedBytes);
            total.SentPackets += Increase(before?.SentPackets, traffic.SentPackets);
            total.SentBytes += Increase(before?.SentBytes, traffic.SentBytes);
        }
        _last = now;
        if (keep)
            return;
        HashSet<string> present = [.. now.Keys.Select(part => part.Item1)];
        foreach (string gone in _totals.Keys.Where(name => !present.Contains(name)).ToArray())
            _totals.Remove(gone);
    }

    private static ulong Increase(ulong? before, ulong now) => before is { } last && last <= now ? now - last : now;

    private struct Total
    {
        public ulong ReceivedPackets;
        public ulong ReceivedBytes;
        public ulong SentPackets;
        public ulong SentBytes;
    }
}
