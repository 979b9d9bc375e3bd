using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Configuration.Parsing;

/// <summary>What holds between the section <c>dpdk</c> and the others, and between its devices.</summary>
internal static class DpdkChecks
{
    private const string Section = "dpdk";

    public static void Run(DpdkConfig dpdk, BrokerConfig config, long line, ConfigErrors errors)
    {
        Names(dpdk, line, errors);
        CryptoLcores(dpdk, config.Lcores.Count, line, errors);
        EthernetPortChecks.Run(dpdk, config, line, errors);
    }

    /// <summary>DPDK tells devices apart by their names alone.</summary>
    private static void Names(DpdkConfig dpdk, long line, ConfigErrors errors)
    {
        foreach (string name in Twice(dpdk.VirtualDevices.Concat(dpdk.PciDevices)))
            errors.Add(line, Section, $"the device {name} is there twice: remove one, or give it another number");
        foreach (string name in Twice(dpdk.Crypto.Select(device => device.Device)))
            errors.Add(line, $"{Section}.crypto", $"the device {name} is there twice: write it once, with the lcores of both");
    }

    private static void CryptoLcores(DpdkConfig dpdk, int count, long line, ConfigErrors errors)
    {
        var owners = new Dictionary<int, string>();
        foreach (CryptoDeviceConfig device in dpdk.Crypto)
        {
            foreach (int lcore in device.Lcores)
            {
                if (lcore >= count)
                    errors.Add(line, $"{Section}.crypto", $"{device.Name}: there is no lcore {lcore}: the last one is {count - 1}");
                else if (!owners.TryAdd(lcore, device.Name))
                    errors.Add(line, $"{Section}.crypto", $"{device.Name}: lcore {lcore} has {owners[lcore]} already: an lcore works with one device");
            }
        }
        if (dpdk.Crypto.Count(device => device.Lcores.Count == 0) > 1)
            errors.Add(line, $"{Section}.crypto", "several devices are for all other lcores: write lcores: [...] below each");
    }

    private static IEnumerable<string> Twice(IEnumerable<string> devices) =>
        devices.Select(device => device.Split(',')[0]).Where(name => name.Length > 0).GroupBy(name => name).Where(same => same.Count() > 1).Select(same => same.Key);
}
