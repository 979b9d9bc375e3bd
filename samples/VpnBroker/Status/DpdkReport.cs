namespace VpnBroker.Status;

/// <summary>DPDK and its devices.</summary>
/// <param name="Version">DPDK's version.</param>
/// <param name="Crypto">The crypto devices.</param>
public sealed record DpdkReport(string Version, IReadOnlyList<CryptoDeviceReport> Crypto);

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
