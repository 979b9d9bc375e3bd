using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The sinks of flow records as text.</summary>
internal static class ExportText
{
    /// <summary>Writes a line per sink.</summary>
    public static void Write(StringBuilder text, IReadOnlyList<ExportReport> sinks)
    {
        var table = new TextTable("export", "to", "state", "records", "messages", "bytes", "dropped", "waiting", "errors", "reconnects", "files");
        foreach (ExportReport sink in sinks)
        {
            table.Add(sink.Name, sink.Target, sink.State, Count(sink.Records), Count(sink.Messages), Count(sink.Bytes), Count(sink.Dropped), Count(sink.Waiting),
                Count(sink.Errors), Count(sink.Reconnects), Count(sink.Files));
        }
        table.Write(text);
    }

    private static string Count(long value) => value.ToString(CultureInfo.InvariantCulture);
}
