namespace VpnBroker.Status;

/// <summary>DPDK and its devices.</summary>
/// <param name="Version">DPDK's version.</param>
/// <param name="Crypto">The crypto devices.</param>
/// <param name="Ports">The Ethernet ports.</param>
public sealed record DpdkReport(string Version, IReadOnlyList<CryptoDeviceReport> Crypto, IReadOnlyList<EthernetPortReport> Ports);

/// <summary>An Ethernet port; what it carried is in <see cref="StatusReport.Ports"/>, under <c>dpdk:</c> and its name.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Device">The device.</param>
/// <param name="Driver">The device's driver.</param>
/// <param name="Mac">Its Ethernet address.</param>
/// <param name="Role"><c>outside</c> or <c>inside</c>.</param>
/// <param name="Link"><c>up</c>, <c>down</c>, or <c>removed</c> when the device is gone.</param>
/// <param name="Megabits">Speed in Mb/s; 0 where the device does not know it.</param>
/// <param name="Queues">Queues: one per lcore.</param>
/// <param name="SteersEsp">Whether the device puts ESP packets into the queue of their SA's lcore.</param>
public sealed record EthernetPortReport(
    string Name, string Device, string Driver, string Mac, string Role, string Link, long Megabits, int Queues, bool SteersEsp);

/// <summary>A crypto device.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Driver">Its driver.</param>
/// <param name="State"><c>working</c>; <c>failed</c> while it is being stopped; <c>stopped</c>, and the CPU does everything.</param>
/// <param name="Queues">One entry per lcore that it serves.</param>
public sealed record CryptoDeviceReport(string Name, string Driver, string State, IReadOnlyList<CryptoQueueReport> Queues);

/// <summary>An lcore's operations (records and packets sealed or opened), counted by who did them.</summary>
/// <param name="Lcore">The lcore.</param>
/// <param name="ByDevice">Operations that went to the device.</param>
/// <param name="ByCpu">Operations that the CPU did.</param>
/// <param name="DeviceErrors">Operations that the device failed at.</param>
/// <param name="Retried">Operations that the CPU did again when the device had failed.</param>
/// <param name="Lost">Operations in place on a device that failed: dropped packets.</param>
public sealed record CryptoQueueReport(int Lcore, ulong ByDevice, ulong ByCpu, ulong DeviceErrors, ulong Retried, ulong Lost);
