using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The table of what waits.</summary>
internal static class QueueText
{
    public static void Write(StringBuilder text, IReadOnlyList<QueueReport> queues)
    {
        var table = new TextTable("queue", "of", "way", "lcore", "waiting", "bytes", "sent", "marked", "dropped", "mean delay", "largest");
        foreach (QueueReport queue in queues)
        {
            table.Add(queue.Kind, queue.Session is { } session ? $"{queue.Name} ({session})" : queue.Name, queue.Port,
                Number(queue.Lcore), Number(queue.WaitingPackets), Number(queue.WaitingBytes), Number(queue.SentPackets), Number(queue.MarkedPackets),
                Number(queue.Drops.Values.Aggregate(0L, (sum, packets) => sum + (long)packets)), Delay(queue.MeanDelayMilliseconds), Delay(queue.LargestDelayMilliseconds));
        }
        table.Write(text);
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Delay(double milliseconds) => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:F2} ms");
}
