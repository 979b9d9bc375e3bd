using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Parsing;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Supervision;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>Everything that the data plane has of DPDK: the environment, the devices, and what looks after them. Control threads.</summary>
/// <remarks>
/// Order of things: made before the lcores, whose engines and memory come from here; <see cref="OpenPorts"/> and
/// <see cref="StartWatching"/> before their threads start; <see cref="StopWatching"/> when these have ended; <see cref="ClosePorts"/>, while
/// there are the lcores' pools; <see cref="Dispose"/> when their engines and pools are gone.
/// </remarks>
internal sealed class DpdkDevices : IDisposable
{
    private readonly CryptoDevices _crypto;
    private readonly LcoreConfig _lcores;
    private readonly bool _hugePages, _hasPorts;
    private readonly ILogger _logger;
    private DeviceWatch? _watch;

    /// <summary>Starts the environment and opens the devices.</summary>
    /// <exception cref="InvalidOperationException">DPDK or a device refuses; the message says what to do.</exception>
    public DpdkDevices(DpdkConfig config, LcoreConfig lcores, ILogger logger)
    {
        DpdkEnvironment.Start(config);
        _lcores = lcores;
        _hugePages = config.HugePages;
        _hasPorts = config.Ports.Count != 0;
        _logger = logger;
        _crypto = new CryptoDevices(config, lcores.Count);
    }

    /// <summary>Memory that every device reaches, on the NUMA node of a CPU.</summary>
    /// <param name="cpu">The lcore's; -1 for none.</param>
    public IPacketMemory MemoryNear(int cpu) => new DpdkPacketMemory(NodeOf(cpu));

    /// <summary>What an lcore's packets are made of, so that ports fill and send them; null without ports.</summary>
    /// <param name="cpu">The lcore's; -1 for none.</param>
    public IPacketBlocks? BlocksNear(int cpu) => _hasPorts ? new DpdkPacketBlocks(NodeOf(cpu)) : null;

    /// <summary>The Ethernet ports; null before <see cref="OpenPorts"/>, and without any.</summary>
    public EthernetPorts? Ports { get; private set; }

    /// <summary>The open crypto devices.</summary>
    public IReadOnlyList<Cryptodev> Crypto => _crypto.Devices;

    /// <inheritdoc cref="CryptoDevices.TryCreateEngine"/>
    public AeadEngine? TryCreateEngine(int lcore) => _crypto.TryCreateEngine(lcore);

    /// <summary>Opens the Ethernet ports, when the lcores have their pools.</summary>
    /// <exception cref="InvalidOperationException">A port refuses; the message says what to do.</exception>
    public void OpenPorts(BrokerConfig config, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        if (_hasPorts)
            Ports = new EthernetPorts(config, pools, catalog);
        LcorePlacement.WarnOfDistance([.. _lcores.Cpus.Select((cpu, lcore) => new LcorePlace(lcore, cpu < 0 ? null : cpu, ResourcesOf(lcore)))], _logger);
    }

    /// <summary>Starts the thread that looks after the devices.</summary>
    public void StartWatching() => _watch = new DeviceWatch(_crypto.Devices, Ports?.Units ?? [], _logger);

    /// <summary>Ends that thread.</summary>
    public void StopWatching() => _watch?.Dispose();

    /// <summary>The devices' states and counters.</summary>
    public DpdkStatus ReadStatus() => new() { Version = Eal.Version, Crypto = _crypto.ReadStatus(), Ports = Ports?.ReadStatus() ?? [] };

    /// <summary>Closes the Ethernet ports, while the lcores still have the pools that the packets in them go back to.</summary>
    public void ClosePorts() => Ports?.Dispose();

    /// <inheritdoc/>
    public void Dispose() => _crypto.Dispose();

    /// <summary>The NUMA node whose memory an lcore is to have; null for any.</summary>
    private int? NodeOf(int cpu)
    {
        int node = cpu < 0 ? -1 : NumaTopology.Read().NodeOf(cpu);
        // Ordinary pages are one block of memory, which DPDK takes for node 0's.
        return node >= 0 && _hugePages ? node : null;
    }

    private IReadOnlyList<NumaResource> ResourcesOf(int lcore) =>
        [.. _crypto.ResourcesOf(lcore), .. Ports?.Units.Select(unit => new NumaResource($"port {unit.Config.Name}", DpdkSection.IsPciAddress(unit.Info.Name) ? unit.Info.Socket : -1)) ?? []];
}
