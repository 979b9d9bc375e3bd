using CryptoPlane.Dpdk;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Parsing;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>Starts DPDK's environment for a configuration, and says what DPDK says in the words of the configuration.</summary>
internal static class DpdkEnvironment
{
    private static readonly (string Library, string File)[] s_words =
    [
        ("EalOptions.MemoryMegabytes", "dpdk.megabytes"),
        ("set EalOptions.Memory to NoHugePages", "write dpdk.memory: ordinaryPages"),
        ("set EalOptions.Memory to HugePages", "write dpdk.memory: hugePages"),
        ("EalOptions.LogLevel = 8", "dpdk.logLevel: 8"),
        ("EalOptions (VirtualDevices or PciDevices)", "the dpdk section"),
        ("CryptodevOptions.QueuePairs", "dpdk.crypto"),
    ];

    /// <summary>
    /// Starts the environment, once per process: a program that has started it already, with devices of its own, keeps it as it is.
    /// </summary>
    /// <exception cref="InvalidOperationException">DPDK is missing or refuses; the message says what to do.</exception>
    public static void Start(DpdkConfig config) => Explain(() =>
    {
        if (!Eal.IsInitialized)
            Eal.Initialize(OptionsOf(config));
    });

    /// <summary>What the environment is started with: the devices of the lists, and those that other keys name.</summary>
    public static EalOptions OptionsOf(DpdkConfig config)
    {
        var virtualDevices = config.VirtualDevices.ToList();
        var pciDevices = config.PciDevices.ToList();
        foreach (CryptoDeviceConfig crypto in config.Crypto)
        {
            if (DpdkSection.IsPciAddress(crypto.Name))
                AddOnce(pciDevices, crypto.QatThreshold == 0 ? crypto.Device : $"{crypto.Device},qat_sym_enq_threshold={crypto.QatThreshold}");
            else if (DpdkSection.IsVirtual(crypto.Name))
                AddOnce(virtualDevices, crypto.Device);
        }
        foreach (string device in config.Ports.SelectMany(port => port.Devices))
            AddOnce(DpdkSection.IsPciAddress(device.Split(',')[0]) ? pciDevices : virtualDevices, device);
        return new EalOptions
        {
            Memory = config.HugePages ? EalMemory.HugePages : EalMemory.NoHugePages,
            // A virtio_user port hands its peer the files of the huge pages, of which vhost-user takes eight.
            SingleFileSegments = config.HugePages && virtualDevices.Exists(device => device.StartsWith("net_virtio_user", StringComparison.Ordinal)),
            MemoryMegabytes = config.Megabytes,
            VirtualDevices = virtualDevices,
            PciDevices = pciDevices,
            LogLevel = config.LogLevel,
            ExtraArguments = config.Arguments,
        };
    }

    /// <summary>Runs something of a control path that may end with an exception of DPDK, or without memory.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message names keys of the configuration.</exception>
    public static T Explain<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (Exception e) when (e is DpdkException or ArgumentOutOfRangeException or OutOfMemoryException or PlatformNotSupportedException)
        {
            string message = s_words.Aggregate(e.Message, (text, word) => text.Replace(word.Library, word.File, StringComparison.Ordinal));
            throw new InvalidOperationException(message, e);
        }
    }

    /// <inheritdoc cref="Explain{T}(Func{T})"/>
    public static void Explain(Action call) => Explain(() =>
    {
        call();
        return true;
    });

    /// <summary>A device that a list names already, perhaps with other arguments, stays as it is there.</summary>
    private static void AddOnce(List<string> devices, string device)
    {
        string name = device.Split(',')[0];
        if (!devices.Exists(known => known.Split(',')[0] == name))
            devices.Add(device);
    }
}
