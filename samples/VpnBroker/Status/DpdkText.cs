using System.Globalization;
using System.Text;

namespace VpnBroker.Status;

/// <summary>The part of <see cref="StatusText"/> that shows DPDK's devices.</summary>
internal static class DpdkText
{
    public static void Write(StringBuilder text, DpdkReport report)
    {
        text.Append(report.Version).Append('\n');
        if (report.Ports.Count != 0)
        {
            var ports = new TextTable("dpdk port", "device", "driver", "mac", "role", "link", "Mb/s", "queues", "esp steering");
            foreach (EthernetPortReport port in report.Ports)
            {
                ports.Add(port.Name, port.Device, port.Driver, port.Mac, port.Role, port.Link, port.Megabits == 0 ? "-" : Count((ulong)port.Megabits),
                    Count((ulong)port.Queues), port.Queues == 1 || port.Role == "inside" ? "-" : port.SteersEsp ? "device" : "lcores");
            }
            ports.Write(text);
        }
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
