using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>Everything that the data plane has of DPDK: the environment, the devices, and what looks after them. Control threads.</summary>
/// <remarks>
/// Order of things: made before the lcores, whose engines and memory come from here; <see cref="StopWatching"/> when the lcores' threads
/// have ended; <see cref="Dispose"/> when their engines and pools are gone.
/// </remarks>
internal sealed class DpdkDevices : IDisposable
{
    private readonly CryptoDevices _crypto;
    private readonly DeviceWatch _watch;
    private readonly bool _hugePages;

    /// <summary>Starts the environment and opens the devices.</summary>
    /// <exception cref="InvalidOperationException">DPDK or a device refuses; the message says what to do.</exception>
    public DpdkDevices(DpdkConfig config, LcoreConfig lcores, ILogger logger)
    {
        DpdkEnvironment.Start(config);
        _hugePages = config.HugePages;
        _crypto = new CryptoDevices(config, lcores.Count);
        LcorePlacement.WarnOfDistance([.. lcores.Cpus.Select((cpu, lcore) => new LcorePlace(lcore, cpu < 0 ? null : cpu, _crypto.ResourcesOf(lcore)))], logger);
        _watch = new DeviceWatch(_crypto.Devices, logger);
    }

    /// <summary>Memory that every device reaches, on the NUMA node of a CPU.</summary>
    /// <param name="cpu">The lcore's; -1 for none.</param>
    public IPacketMemory MemoryNear(int cpu)
    {
        int node = cpu < 0 ? -1 : NumaTopology.Read().NodeOf(cpu);
        // Ordinary pages are one block of memory, which DPDK takes for node 0's.
        return new DpdkPacketMemory(node >= 0 && _hugePages ? node : null);
    }

    /// <summary>The open crypto devices.</summary>
    public IReadOnlyList<Cryptodev> Crypto => _crypto.Devices;

    /// <inheritdoc cref="CryptoDevices.TryCreateEngine"/>
    public AeadEngine? TryCreateEngine(int lcore) => _crypto.TryCreateEngine(lcore);

    /// <summary>The devices' states and counters.</summary>
    public DpdkStatus ReadStatus() => new() { Version = Eal.Version, Crypto = _crypto.ReadStatus() };

    /// <summary>Ends the thread that looks after the devices.</summary>
    public void StopWatching() => _watch.Dispose();

    /// <inheritdoc/>
    public void Dispose() => _crypto.Dispose();
}
