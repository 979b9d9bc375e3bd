using System.Net.NetworkInformation;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>DPDK's devices at one moment.</summary>
public sealed record DpdkStatus
{
    /// <summary>DPDK's version.</summary>
    public required string Version { get; init; }

    /// <summary>The crypto devices.</summary>
    public IReadOnlyList<CryptoDeviceStatus> Crypto { get; init; } = [];

    /// <summary>The Ethernet ports; what they carried is among <see cref="DataPlaneStatus.Ports"/>.</summary>
    public IReadOnlyList<EthernetPortStatus> Ports { get; init; } = [];
}

/// <summary>An Ethernet port.</summary>
public sealed record EthernetPortStatus
{
    /// <summary>Its name in the configuration; its counters are those of <c>dpdk:name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The device, such as <c>net_tap0</c> or <c>0000:3b:00.0</c>.</summary>
    public required string Device { get; init; }

    /// <summary>The device's driver.</summary>
    public required string Driver { get; init; }

    /// <summary>Its Ethernet address.</summary>
    public required PhysicalAddress Mac { get; init; }

    /// <summary>Whether it leads to the local network, else to users and ESP peers.</summary>
    public required bool IsInside { get; init; }

    /// <summary>Queues that it was opened with: one per lcore.</summary>
    public required int Queues { get; init; }

    /// <summary>Whether frames get through.</summary>
    public required bool IsUp { get; init; }

    /// <summary>Whether the device is gone.</summary>
    public required bool IsRemoved { get; init; }

    /// <summary>Speed in Mb/s; 0 where the device does not know it.</summary>
    public required long Megabits { get; init; }

    /// <summary>Whether the device puts ESP packets into the queue of their SA's lcore; else the lcores hand them on.</summary>
    public required bool SteersEsp { get; init; }
}

/// <summary>How things stand with a crypto device.</summary>
public enum CryptoDeviceState
{
    /// <summary>It works.</summary>
    Working,

    /// <summary>It was given up, and may still write where it was told to: what it had in flight waits.</summary>
    Failed,

    /// <summary>It was given up and stopped: the CPU does everything.</summary>
    Stopped,
}

/// <summary>A crypto device.</summary>
public sealed record CryptoDeviceStatus
{
    /// <summary>Its name, such as <c>crypto_aesni_gcm0</c> or <c>0000:3d:01.0_qat_sym</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Its driver.</summary>
    public required string Driver { get; init; }

    /// <summary>How things stand with it.</summary>
    public required CryptoDeviceState State { get; init; }

    /// <summary>One entry per lcore that it serves.</summary>
    public required IReadOnlyList<CryptoQueueStatus> Queues { get; init; }
}

/// <summary>An lcore's operations (records and packets sealed or opened), counted by who did them.</summary>
public sealed record CryptoQueueStatus
{
    /// <summary>The lcore.</summary>
    public required int Lcore { get; init; }

    /// <summary>Operations that went to the device.</summary>
    public required ulong ByDevice { get; init; }

    /// <summary>Operations that the CPU did, because that costs less or since the device cannot do them.</summary>
    public required ulong ByCpu { get; init; }

    /// <summary>Operations that the device failed at.</summary>
    public required ulong DeviceErrors { get; init; }

    /// <summary>Operations that the CPU did again when the device had failed.</summary>
    public required ulong Retried { get; init; }

    /// <summary>Operations that nobody could do again, in place on a device that failed: each is a packet that was dropped.</summary>
    public required ulong Lost { get; init; }
}
