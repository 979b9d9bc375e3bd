using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>A report as text: tables with rates between two samples, drops by reason, and the worst GC pause.</summary>
public static class StatusText
{
    /// <summary>Writes the text.</summary>
    /// <param name="before">The earlier sample: rates are counted from it.</param>
    /// <param name="now">The sample that is shown.</param>
    public static string Write(StatusReport before, StatusReport now)
    {
        var text = new StringBuilder();
        double seconds = Math.Max(0.001, (now.Time - before.Time).TotalSeconds);
        text.Append(CultureInfo.InvariantCulture,
            $"process {now.ProcessId}, up {Duration((long)now.UptimeSeconds)}; {now.Sessions} sessions, {now.Lcores.Sum(lcore => lcore.Tunnels)} tunnels, {now.HalfOpen} half-open connections, {now.RefusedConnections} refused, {now.RefusedCookies} refused cookies\n");
        text.Append(CultureInfo.InvariantCulture,
            $"worst GC pause {now.Gc.WorstPauseMilliseconds:F3} ms, last {now.Gc.LastPauseMilliseconds:F3} ms, {now.Gc.Collections} collections, heap {now.Gc.HeapBytes / 1048576.0:F1} MiB\n\n");

        var lcores = new TextTable("lcore", "cpu", "busy", "inner", "in packets", "in bit/s", "out packets", "out bit/s");
        foreach (LcoreReport lcore in now.Lcores)
        {
            LcoreReport? earlier = before.Lcores.FirstOrDefault(other => other.Index == lcore.Index);
            foreach (TrafficReport port in lcore.Traffic)
            {
                TrafficReport? last = earlier?.Traffic.FirstOrDefault(other => other.Name == port.Name);
                lcores.Add(lcore.Index.ToString(CultureInfo.InvariantCulture), lcore.Cpu < 0 ? "-" : lcore.Cpu.ToString(CultureInfo.InvariantCulture), Busy(earlier, lcore), port.Name,
                    Count(port.ReceivedPackets), Rate(last?.ReceivedBytes, port.ReceivedBytes, seconds), Count(port.SentPackets), Rate(last?.SentBytes, port.SentBytes, seconds));
            }
        }
        lcores.Write(text);
        WritePorts(text, before, now, seconds);

        if (now.Ipsec.Count != 0)
            IpsecText.Write(text.Append('\n'), now.Ipsec);
        if (now.Esp.Count != 0)
        {
            var esp = new TextTable("esp tunnel", "lcore", "spi in", "spi out", "in packets", "in bit/s", "out packets", "out bit/s", "next sequence", "reserved below");
            foreach (EspReport pair in now.Esp)
            {
                TrafficReport? last = before.Esp.FirstOrDefault(other => other.Tunnel == pair.Tunnel && other.InboundSpi == pair.InboundSpi)?.Traffic;
                esp.Add(pair.Tunnel, pair.Lcore.ToString(CultureInfo.InvariantCulture), pair.InboundSpi, pair.OutboundSpi,
                    Count(pair.Traffic.ReceivedPackets), Rate(last?.ReceivedBytes, pair.Traffic.ReceivedBytes, seconds),
                    Count(pair.Traffic.SentPackets), Rate(last?.SentBytes, pair.Traffic.SentBytes, seconds), Count(pair.NextSequence), Count(pair.SequenceLimit));
            }
            esp.Write(text.Append('\n'));
        }
        if (now.Dpdk is { } dpdk)
            DpdkText.Write(text.Append('\n'), dpdk);
        if (now.Users.Count != 0)
        {
            Dictionary<ulong, SessionReport> earlier = before.Users.ToDictionary(user => user.Session);
            var users = new TextTable("user", "session", "from", "address", "lcore", "age", "in packets", "in bit/s", "out packets", "out bit/s", "drops", "unsent");
            foreach (SessionReport user in now.Users)
            {
                TrafficReport? last = earlier.GetValueOrDefault(user.Session)?.Traffic;
                users.Add(user.User, user.Session.ToString(CultureInfo.InvariantCulture), user.Remote,
                    string.Join(' ', new[] { user.IPv4, user.IPv6 }.Where(address => address is not null)),
                    user.Connected ? user.Lcore.ToString(CultureInfo.InvariantCulture) : "away", Duration(user.AgeSeconds),
                    Count(user.Traffic.ReceivedPackets), Rate(last?.ReceivedBytes, user.Traffic.ReceivedBytes, seconds),
                    Count(user.Traffic.SentPackets), Rate(last?.SentBytes, user.Traffic.SentBytes, seconds), Count(user.Drops), user.UnsentBytes.ToString(CultureInfo.InvariantCulture));
            }
            users.Write(text.Append('\n'));
        }
        WriteDrops(text.Append('\n'), now);
        WritePortCounters(text, now);
        return text.ToString();
    }

    private static void WritePorts(StringBuilder text, StatusReport before, StatusReport now, double seconds)
    {
        if (now.Ports.Count == 0)
            return;
        var ports = new TextTable("port", "lcore", "in packets", "in bit/s", "out packets", "out bit/s", "dropped");
        foreach (PortReport port in now.Ports)
        {
            TrafficReport? last = before.Ports.FirstOrDefault(other => other.Traffic.Name == port.Traffic.Name && other.Lcore == port.Lcore)?.Traffic;
            ports.Add(port.Traffic.Name, port.Lcore?.ToString(CultureInfo.InvariantCulture) ?? "-",
                Count(port.Traffic.ReceivedPackets), Rate(last?.ReceivedBytes, port.Traffic.ReceivedBytes, seconds),
                Count(port.Traffic.SentPackets), Rate(last?.SentBytes, port.Traffic.SentBytes, seconds), Count(Sum(port.Drops.Values)));
        }
        ports.Write(text.Append('\n'));
    }

    /// <summary>What ports count besides packets, over all lcores; zeros are left out.</summary>
    private static void WritePortCounters(StringBuilder text, StatusReport now)
    {
        var counters = new TextTable("counter", "port", "count");
        foreach (IGrouping<string, PortReport> port in now.Ports.GroupBy(port => port.Traffic.Name))
        {
            foreach (IGrouping<string, ulong> counter in port.SelectMany(part => part.Counters).GroupBy(pair => pair.Key, pair => pair.Value))
            {
                ulong sum = Sum(counter);
                if (sum != 0)
                    counters.Add(counter.Key, port.Key, Count(sum));
            }
        }
        if (!counters.IsEmpty)
            counters.Write(text.Append('\n'));
    }

    private static void WriteDrops(StringBuilder text, StatusReport now)
    {
        var drops = new TextTable("dropped", "where", "packets");
        foreach (LcoreReport lcore in now.Lcores)
        {
            foreach ((string reason, ulong packets) in lcore.Drops.OrderByDescending(drop => drop.Value))
                drops.Add(reason, $"lcore {lcore.Index}", Count(packets));
        }
        foreach (PortReport port in now.Ports)
        {
            foreach ((string reason, ulong packets) in port.Drops.OrderByDescending(drop => drop.Value))
                drops.Add(reason, port.Place, Count(packets));
        }
        foreach (EspReport pair in now.Esp)
        {
            foreach ((string reason, ulong packets) in pair.Drops.OrderByDescending(drop => drop.Value))
                drops.Add(reason, $"esp {pair.Tunnel}, lcore {pair.Lcore}", Count(packets));
        }
        if (drops.IsEmpty)
            text.Append("no packet was dropped\n");
        else
            drops.Write(text);
    }

    private static string Busy(LcoreReport? before, LcoreReport now)
    {
        double busy = now.BusyNanoseconds - (before?.BusyNanoseconds ?? 0);
        double all = busy + now.IdleNanoseconds - (before?.IdleNanoseconds ?? 0);
        return all <= 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * busy / all:F0}%");
    }

    private static string Rate(ulong? before, ulong now, double seconds)
    {
        double bits = (now - Math.Min(before ?? now, now)) * 8 / seconds;
        return bits switch
        {
            >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e9:F2}G"),
            >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e6:F2}M"),
            >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{bits / 1e3:F1}k"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bits:F0}"),
        };
    }

    private static ulong Sum(IEnumerable<ulong> values) => values.Aggregate(0ul, (sum, value) => sum + value);

    private static string Count(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Duration(long seconds) => seconds < 3600
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}:{seconds % 60:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}");
}
