using System.Diagnostics.Metrics;
using CryptoPlane.Ike;
using VpnBroker.Status;
using Tag = System.Collections.Generic.KeyValuePair<string, object?>;

namespace VpnBroker.Monitoring.Metrics;

/// <content>Sessions inside of tunnels, queues, and what strangers ask of IKE.</content>
internal sealed partial class BrokerMeter
{
    private void AddFlows()
    {
        Level("cryptoplane.flows.active", "{flow}", "Sessions inside of tunnels, by whether the policy lets them pass.",
            report => OfTables(report, "verdict", flows => [("allowed", flows.Active - flows.Denied), ("denied", flows.Denied)]));
        Level("cryptoplane.flows.limit", "{flow}", "Sessions that there can be at most, beside denied ones.",
            report => OfTables(report, flows => flows.Maximum));
        Counter("cryptoplane.flows.begun", "{flow}", "Sessions that began.", report => OfTables(report, flows => (long)flows.Begun));
        Counter("cryptoplane.flows.ended", "{flow}", "Sessions that ended by themselves, to make room, or because too many were denied.",
            report => OfTables(report, "cause", flows =>
            [
                ("expired", (long)flows.Expired), ("evicted", (long)flows.Evicted), ("denied-evicted", (long)flows.DeniedEvicted),
            ]));
        Counter("cryptoplane.flows.untracked.packets", "{packet}", "Packets without a session, because there was no room for one.",
            report => OfTables(report, flows => (long)flows.Untracked));
        Counter("cryptoplane.flows.records", "{record}", "Flow records for the exporter: given to it, and lost on the way.",
            report => OfTables(report, "outcome", flows => [("queued", (long)flows.Records), ("lost", (long)flows.RecordsLost)]));
    }

    private static IEnumerable<Measurement<long>> OfTables(StatusReport report, Func<FlowTableReport, long> count) => report.Lcores
        .Where(lcore => lcore.Flows is not null)
        .Select(lcore => new Measurement<long>(count(lcore.Flows!), Of("lcore", lcore.Index)));

    private static IEnumerable<Measurement<long>> OfTables(
        StatusReport report, string tag, Func<FlowTableReport, (string Value, long Count)[]> counts) => report.Lcores
        .Where(lcore => lcore.Flows is not null)
        .SelectMany(lcore => counts(lcore.Flows!)
            .Select(count => new Measurement<long>(count.Count, Of("lcore", lcore.Index), Of(tag, count.Value))));

    /// <summary>
    /// Of classes and of ESP tunnels; both are of the same packets, and so have names of their own. Users' queues are as many as users.
    /// </summary>
    private void AddQueues()
    {
        AddQueues("cryptoplane.class.queue", "class", "class", "class");
        AddQueues("cryptoplane.esp.queue", "esp", "tunnel", "ESP tunnel");
    }

    private void AddQueues(string prefix, string kind, string tag, string what)
    {
        // A tunnel's pairs of SAs on an lcore are one series.
        IEnumerable<(Tag[] Tags, QueueReport[] Parts)> All(StatusReport report) => report.Queues.Where(queue => queue.Kind == kind)
            .GroupBy(queue => (queue.Name, queue.Port, queue.Lcore))
            .Select(same => ((Tag[])[Of(tag, same.Key.Name), Of("side", same.Key.Port), Of("lcore", same.Key.Lcore)], same.ToArray()));
        IEnumerable<Measurement<long>> Sum(StatusReport report, Func<QueueReport, long> count) =>
            All(report).Select(queue => new Measurement<long>(queue.Parts.Sum(count), queue.Tags));

        Level($"{prefix}.packets", "{packet}", $"Packets that wait, of a {what}.", report => Sum(report, queue => queue.WaitingPackets));
        Level($"{prefix}.io", "By", $"Bytes that wait, of a {what}.", report => Sum(report, queue => queue.WaitingBytes));
        Counter($"{prefix}.sent.packets", "{packet}", $"Packets that waited and went on, of a {what}.",
            report => Sum(report, queue => queue.SentPackets));
        Counter($"{prefix}.sent.io", "By", $"Bytes that waited and went on, of a {what}.", report => Sum(report, queue => queue.SentBytes));
        Counter($"{prefix}.marked.packets", "{packet}", $"Packets that went on with a mark of congestion, of a {what}.",
            report => Sum(report, queue => queue.MarkedPackets));
        Counter($"{prefix}.dropped.packets", "{packet}", $"Packets that the queue dropped, by reason, of a {what}.", report => All(report)
            .SelectMany(queue => queue.Parts.SelectMany(part => part.Drops).GroupBy(drop => drop.Key, drop => (long)drop.Value)
                .Select(drop => new Measurement<long>(drop.Sum(), [.. queue.Tags, Of("reason", drop.Key)]))));
        Seconds($"{prefix}.delay", $"How long all packets together waited that went on, of a {what}.",
            report => All(report).Select(queue => new Measurement<double>(queue.Parts.Sum(part => part.DelaySeconds), queue.Tags)));
        Gauge($"{prefix}.delay.largest", "s", $"The longest wait of the last second or two in which packets went on, of a {what}.", report =>
            All(report).Select(queue => new Measurement<double>(queue.Parts.Max(part => part.LargestDelayMilliseconds) / 1000, queue.Tags)));
    }

    private void AddIke()
    {
        static IEnumerable<Measurement<long>> Gate(StatusReport report, Func<IkeGateReport, (string Outcome, long Count)[]> counts) =>
            report.IkeRequests is { } gate
                ? counts(gate).Select(count => new Measurement<long>(count.Count, Of("outcome", count.Outcome)))
                : [];

        Level("cryptoplane.ike.half_open", "{sa}", "IKE SAs whose peer has begun and not authenticated yet.",
            report => report.IkeRequests is { } gate ? [new(gate.HalfOpen)] : []);
        Counter("cryptoplane.ike.requests", "{request}", "Requests to begin an IKE SA, by what became of them.", report => Gate(report, gate =>
        [
            ("accepted", gate.Accepted), ("accepted-with-cookie", gate.AcceptedWithCookie), ("repeated", gate.Repeated),
            ("cookie-demanded", gate.CookiesDemanded), ("cookie-refused", gate.CookiesRefused), ("malformed", gate.Malformed),
            ("too-many-half-open", gate.TooManyHalfOpen), ("too-many-from-address", gate.TooManyFromAddress), ("too-fast", gate.TooFast),
            ("version-refused", gate.VersionsRefused),
        ]));
        Counter("cryptoplane.ike.expired", "{sa}", "Half-open IKE SAs that did not become established in time.",
            report => report.IkeRequests is { } gate ? [new(gate.Expired)] : []);
    }
}
