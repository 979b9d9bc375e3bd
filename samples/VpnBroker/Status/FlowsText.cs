using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>Sessions as a table for people.</summary>
internal static class FlowsText
{
    public static string Write(FlowsReport report)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{report.Matching} of {report.Tracked} sessions (room for {report.Maximum})");
        text.Append(report.Flows.Count < report.Matching ? string.Create(CultureInfo.InvariantCulture, $", the first {report.Flows.Count}:\n") : "\n");
        if (report.Flows.Count == 0)
            return text.ToString();
        var table = new TextTable("PROTO", "STATE", "INITIATOR", "FROM", "RESPONDER", "TO", "SENT", "RECEIVED", "RATE", "DROPS", "AGE", "IDLE");
        foreach (FlowReport flow in report.Flows)
        {
            table.Add(
                flow.Protocol, flow.State, End(flow.Initiator), flow.Initiator.Through, End(flow.Responder), flow.Responder.Through,
                Amount(flow.Sent.Bytes, 1024, "B"), Amount(flow.Received.Bytes, 1024, "B"),
                Amount(flow.Sent.BitsPerSecond + flow.Received.BitsPerSecond, 1000, "b/s"), Drops(flow), Time(flow.AgeSeconds), Time(flow.IdleSeconds));
        }
        table.Write(text);
        return text.ToString();
    }

    private static string End(FlowEndReport end) => end.Port is not { } port ? end.Address
        : end.Address.Contains(':', StringComparison.Ordinal) ? $"[{end.Address}]:{port}" : $"{end.Address}:{port}";

    private static string Drops(FlowReport flow)
    {
        uint drops = flow.Sent.Drops + flow.Received.Drops;
        return drops == 0 ? "-" : flow.DropReason is { } reason ? $"{drops} {reason}" : drops.ToString(CultureInfo.InvariantCulture);
    }

    private static string Amount(double value, double thousand, string unit)
    {
        string[] prefixes = thousand == 1024 ? ["", "Ki", "Mi", "Gi", "Ti", "Pi"] : ["", "k", "M", "G", "T", "P"];
        int prefix = 0;
        for (; value >= thousand && prefix < prefixes.Length - 1; prefix++)
            value /= thousand;
        return value.ToString(prefix == 0 ? "0" : "0.0", CultureInfo.InvariantCulture) + " " + prefixes[prefix] + unit;
    }

    private static string Time(double seconds) => seconds switch
    {
        < 60 => seconds.ToString("0.0", CultureInfo.InvariantCulture) + " s",
        < 3600 => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 60}:{(int)seconds % 60:00} min"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)seconds / 3600}:{(int)seconds / 60 % 60:00} h"),
    };
}
