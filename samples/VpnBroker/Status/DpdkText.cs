using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The part of <see cref="StatusText"/> that shows DPDK's devices.</summary>
internal static class DpdkText
{
    public static void Write(StringBuilder text, DpdkReport report)
    {
        text.Append(report.Version).Append('\n');
        if (report.Crypto.Count == 0)
            return;
        var devices = new TextTable("crypto device", "driver", "state", "lcore", "by device", "by cpu", "device errors", "retried", "lost");
        foreach (CryptoDeviceReport device in report.Crypto)
        {
            foreach (CryptoQueueReport queue in device.Queues)
            {
                devices.Add(device.Name, device.Driver, device.State, queue.Lcore.ToString(CultureInfo.InvariantCulture),
                    Count(queue.ByDevice), Count(queue.ByCpu), Count(queue.DeviceErrors), Count(queue.Retried), Count(queue.Lost));
            }
        }
        devices.Write(text);
    }

    private static string Count(ulong value) => value.ToString(CultureInfo.InvariantCulture);
}
