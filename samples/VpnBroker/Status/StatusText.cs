using System.Globalization;
using System.Text;
using VpnBroker.Monitoring;

namespace VpnBroker.Status;

/// <summary>A report as text: tables with rates, drops by reason, and the worst GC pause.</summary>
public static class StatusText
{
    private static readonly string[] s_traffic = ["in packets", "in packet/s", "in bit/s", "out packets", "out packet/s", "out bit/s"];

    /// <summary>Writes the text.</summary>
    /// <param name="now">The report.</param>
    public static string Write(StatusReport now)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"process {now.ProcessId}, up {Duration((long)now.UptimeSeconds)}; {now.Sessions} sessions, {now.Lcores.Sum(lcore => lcore.Tunnels)} tunnels, {now.HalfOpen} half-open connections, {now.RefusedConnections} refused, {now.RefusedCookies} refused cookies\n");
        text.Append(CultureInfo.InvariantCulture,
            $"worst GC pause {now.Gc.WorstPauseMilliseconds:F3} ms, last {now.Gc.LastPauseMilliseconds:F3} ms, {now.Gc.Collections} collections, heap {now.Gc.HeapBytes / 1048576.0:F1} MiB\n\n");

        WriteLcores(text, now);
        WritePorts(text, now);
        if (now.Dtls is { } dtls)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"\ndtls: {dtls.Channels} channels, {dtls.Begun} begun, {dtls.Fallbacks} fell back to TLS, {dtls.Moved} moved; {dtls.HalfOpen} handshakes under way, {dtls.Failed} failed, {dtls.Refused} refused, {dtls.CookieRequests} asked for a cookie, {dtls.Dropped} datagrams dropped before\n");
        }

        WriteFlows(text, now);
        if (now.Policy is { } policy)
            PolicyText.WriteLine(text.Append('\n'), policy);
        if (now.Ipsec.Count != 0)
            IpsecText.Write(text.Append('\n'), now.Ipsec);
        if (now.PeerShares.Count != 0)
            PeerShareText.Write(text.Append('\n'), now.PeerShares);
        if (now.IkeRequests is { } requests)
            IpsecText.Write(text, requests);
        if (now.Esp.Count != 0)
        {
            var esp = new TextTable(["esp tunnel", "lcore", "spi in", "spi out", .. s_traffic, "next sequence", "reserved below"]);
            foreach (EspReport pair in now.Esp)
            {
                esp.Add([pair.Tunnel, Number(pair.Lcore), pair.InboundSpi, pair.OutboundSpi, .. Traffic(pair.Traffic), Count(pair.NextSequence), Count(pair.SequenceLimit)]);
            }
            esp.Write(text.Append('\n'));
        }
        if (now.Export.Count != 0)
            ExportText.Write(text.Append('\n'), now.Export);
        if (now.Queues.Count != 0)
            QueueText.Write(text.Append('\n'), now.Queues);
        if (now.Dpdk is { } dpdk)
            DpdkText.Write(text.Append('\n'), dpdk);
        if (now.Users.Count != 0)
        {
            var users = new TextTable(["user", "via", "data", "session", "from", "address", "lcore", "age", .. s_traffic, "drops", "unsent"]);
            foreach (SessionReport user in now.Users)
            {
                users.Add([user.User, user.Via, user.Data ?? "-", Count(user.Session), user.Remote, string.Join(' ', new[] { user.IPv4, user.IPv6 }.Where(address => address is not null)),
                    user.Connected ? Number(user.Lcore) : "away", Duration(user.AgeSeconds), .. Traffic(user.Traffic), Count(user.Drops), Number(user.UnsentBytes)]);
            }
            users.Write(text.Append('\n'));
        }
        WriteDrops(text.Append('\n'), now);
        WritePortCounters(text, now);
        return text.ToString();
    }

    private static void WriteLcores(StringBuilder text, StatusReport now)
    {
        var lcores = new TextTable(["lcore", "cpu", "busy", "inner", .. s_traffic]);
        foreach (LcoreReport lcore in now.Lcores)
        {
            foreach (TrafficReport port in lcore.Traffic)
            {
                lcores.Add([Number(lcore.Index), lcore.Cpu < 0 ? "-" : Number(lcore.Cpu),
                    lcore.Busy is { } busy ? string.Create(CultureInfo.InvariantCulture, $"{100 * busy:F0}%") : "-", port.Name, .. Traffic(port)]);
            }
        }
        lcores.Write(text);
    }

    private static void WriteFlows(StringBuilder text, StatusReport now)
    {
        var table = new TextTable(
            "sessions of lcore", "now", "denied", "at most", "begun", "expired", "evicted", "denied evicted", "untracked packets", "records", "lost");
        foreach (LcoreReport lcore in now.Lcores)
        {
            if (lcore.Flows is { } flows)
            {
                table.Add(Number(lcore.Index), Number(flows.Active), Number(flows.Denied), Number(flows.Maximum), Count(flows.Begun),
                    Count(flows.Expired), Count(flows.Evicted), Count(flows.DeniedEvicted), Count(flows.Untracked), Count(flows.Records),
                    Count(flows.RecordsLost));
            }
        }
        if (!table.IsEmpty)
            table.Write(text.Append('\n'));
    }

    private static void WritePorts(StringBuilder text, StatusReport now)
    {
        if (now.Ports.Count == 0)
            return;
        var ports = new TextTable(["port", "lcore", .. s_traffic, "dropped"]);
        foreach (PortReport port in now.Ports)
            ports.Add([port.Traffic.Name, port.Lcore is { } lcore ? Number(lcore) : "-", .. Traffic(port.Traffic), Count(Sum(port.Drops.Values))]);
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
        var drops = new TextTable("dropped", "where", "packets", "per second");
        foreach (LcoreReport lcore in now.Lcores)
            Add(lcore.Drops, lcore.DropRates, $"lcore {lcore.Index}");
        foreach (PortReport port in now.Ports)
            Add(port.Drops, port.DropRates, port.Place);
        foreach (EspReport pair in now.Esp)
            Add(pair.Drops, pair.DropRates, $"esp {pair.Tunnel}, lcore {pair.Lcore}");
        if (drops.IsEmpty)
            text.Append("no packet was dropped\n");
        else
            drops.Write(text);

        void Add(IReadOnlyDictionary<string, ulong> counts, IReadOnlyDictionary<string, double>? rates, string where)
        {
            foreach ((string reason, ulong packets) in counts.OrderByDescending(drop => drop.Value))
                drops.Add(reason, where, Count(packets), rates is null ? "-" : Rate(rates.GetValueOrDefault(reason)));
        }
    }

    /// <summary>The cells below <see cref="s_traffic"/>.</summary>
    private static string[] Traffic(TrafficReport traffic)
    {
        TrafficRate? rate = traffic.Rate;
        return
        [
            Count(traffic.ReceivedPackets), Rate(rate?.ReceivedPackets), Rate(rate?.ReceivedBits),
            Count(traffic.SentPackets), Rate(rate?.SentPackets), Rate(rate?.SentBits),
        ];
    }

    private static string Rate(double? value) => value switch
    {
        null => "-",
        >= 1e9 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:F2}G"),
        >= 1e6 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e6:F2}M"),
        >= 1e3 => string.Create(CultureInfo.InvariantCulture, $"{value / 1e3:F1}k"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{value:F0}"),
    };

    private static ulong Sum(IEnumerable<ulong> values) => values.Aggregate(0ul, (sum, value) => sum + value);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Count(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Duration(long seconds) => seconds < 3600
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60}:{seconds % 60:00}")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600}:{seconds / 60 % 60:00}:{seconds % 60:00}");
}
