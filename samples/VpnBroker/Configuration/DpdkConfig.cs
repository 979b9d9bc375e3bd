namespace VpnBroker.Configuration;

/// <summary>What the broker uses of DPDK: the environment, crypto devices that work for its lcores, and Ethernet ports.</summary>
public sealed record DpdkConfig
{
    /// <summary>Whether memory is on huge pages; else on ordinary ones, which software devices alone reach.</summary>
    public bool HugePages { get; init; } = true;

    /// <summary>Memory for packets, sessions and queues, in megabytes.</summary>
    public int Megabytes { get; init; } = 256;

    /// <summary>Software devices with their arguments, in DPDK's notation, besides those that other keys name.</summary>
    public IReadOnlyList<string> VirtualDevices { get; init; } = [];

    /// <summary>Devices by PCI address with their arguments, besides those that other keys name.</summary>
    public IReadOnlyList<string> PciDevices { get; init; } = [];

    /// <summary>Further arguments of DPDK's environment.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>What the environment says on standard error: 1 (emergencies only) to 8 (everything).</summary>
    public int LogLevel { get; init; } = 4;

    /// <summary>Whether the file accepts that a peer of a memif port can end this process.</summary>
    public bool AllowUnsafeMemif { get; init; }

    /// <summary>The crypto devices.</summary>
    public IReadOnlyList<CryptoDeviceConfig> Crypto { get; init; } = [];

    /// <summary>The Ethernet ports.</summary>
    public IReadOnlyList<EthernetPortConfig> Ports { get; init; } = [];

    /// <summary>How an lcore shares its work out between its device and its CPU.</summary>
    public DispatchConfig Dispatch { get; init; } = new();
}

/// <summary>A crypto device that seals and opens for some lcores.</summary>
public sealed record CryptoDeviceConfig
{
    /// <summary>
    /// A software device with a number (<c>crypto_aesni_gcm0</c>), a PCI address (<c>0000:3d:01.0</c>), or a driver (<c>crypto_qat</c>),
    /// whose first device is meant.
    /// </summary>
    public required string Device { get; init; }

    /// <summary>Operations that an lcore has in flight at most: a power of two from 64 to 65536.</summary>
    public int Depth { get; init; } = 1024;

    /// <summary>Keys, times their directions and lengths of AAD, that the device knows at a time; the CPU works with further ones.</summary>
    public int Sessions { get; init; } = 4096;

    /// <summary>QuickAssist: requests that are gathered before the doorbell is rung; 0 for the driver's own number.</summary>
    public int QatThreshold { get; init; }

    /// <summary>The lcores that have a queue pair of the device; empty for all that no other device names.</summary>
    public IReadOnlyList<int> Lcores { get; init; } = [];

    /// <summary>The device's name or address without its arguments.</summary>
    public string Name => Device.Split(',')[0];
}

/// <summary>How an lcore shares its work out between its device and its CPU.</summary>
public sealed record DispatchConfig
{
    /// <summary>Whether everything goes to the device that it has room for; else what costs the lcore less there, as measured.</summary>
    public bool PreferDevice { get; init; }

    /// <summary>Shorter messages never go to the device, in bytes.</summary>
    public int MinimumLength { get; init; }

    /// <summary>Operations in flight at and above which the CPU takes them; 0 for the device's depth.</summary>
    public int InFlightLimit { get; init; }

    /// <summary>Milliseconds that a device may have work without completing any before it is given up.</summary>
    public int StallMilliseconds { get; init; } = 20;

    /// <summary>Failed operations in a row after which a device is given up.</summary>
    public int ErrorLimit { get; init; } = 32;
}
