using System.Net.NetworkInformation;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Dpdk;
using CryptoPlane.IO.Ethernet;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>One Ethernet port: the device, an IP port on a queue of it for each lcore, and the kernel's interface for the rest.</summary>
internal sealed class EthernetPortUnit : IDisposable
{
    private readonly Lock _gate = new();
    private readonly EthPort _device;
    private readonly List<EthernetIpPort> _ports = [];
    private readonly IExceptionPort? _exception;
    private EthLink _link;

    /// <summary>Opens the port.</summary>
    /// <exception cref="InvalidOperationException">The device is not there or refuses; the message says what to do.</exception>
    public EthernetPortUnit(EthernetPortConfig config, IReadOnlyList<int> espUdpPorts, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        Config = config;
        _device = OpenDevice(config, config.DeviceName, promiscuous: false, pools);
        EthPortInfo info = _device.Info;
        try
        {
            _exception = OpenException(config, info.Mac, pools, catalog);
            for (int lcore = 0; lcore < pools.Count; lcore++)
                _ports.Add(OpenPort(lcore, OptionsOf(config, info, espUdpPorts), pools[lcore], catalog));
            EthernetIpPort.Connect(_ports);
            // Hosts that knew another machine under these addresses, or this one before a restart, learn of the new one.
            _ports[0].Announce();
            Steer();
            catalog.Add(new PortEntry(NameInCatalog, null, ReadDevice));
            _link = _device.Link;
            _exception?.SetLink(_link.IsUp);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Opens a device with a queue for each lcore.</summary>
    /// <param name="config">The port that it is for.</param>
    /// <param name="device">The device's name.</param>
    /// <param name="promiscuous">Whether to receive what is addressed to others as well.</param>
    /// <param name="pools">The lcores' pools, in their order.</param>
    /// <exception cref="InvalidOperationException">The device is not there or refuses; the message says what to do.</exception>
    public static EthPort OpenDevice(EthernetPortConfig config, string device, bool promiscuous, IReadOnlyList<PacketPool> pools) => DpdkEnvironment.Explain(() =>
    {
        EthPortInfo info = EthPort.Find(device);
        if (info.MaxQueues < pools.Count)
        {
            throw new InvalidOperationException(
                $"The port {config.Name} ({info.Name}) has {info.MaxQueues} queues, and there are {pools.Count} lcores, each of which needs one: "
                + "give the device more (net_af_packet: qpairs, net_virtio_user: queues), or use fewer lcores.");
        }
        return EthPort.Open(info, pools, new EthPortOptions
        {
            ReceiveDescriptors = config.ReceiveDescriptors,
            TransmitDescriptors = config.TransmitDescriptors,
            Mtu = config.Mtu,
            Promiscuous = promiscuous,
        });
    });

    /// <summary>What the file says of the port.</summary>
    public EthernetPortConfig Config { get; }

    /// <summary>The device.</summary>
    public EthPortInfo Info => _device.Info;

    /// <summary>The link as it was when somebody looked last.</summary>
    public EthLink Link
    {
        get
        {
            lock (_gate)
                return _link;
        }
    }

    /// <summary>An lcore's port of IP packets.</summary>
    public IPacketPort PortOf(int lcore) => _ports[lcore];

    /// <summary>An lcore's link.</summary>
    public EthernetLink LinkOf(int lcore) => new(_ports[lcore], _exception?.WatchOf(lcore) ?? ExceptionWatch.None);

    /// <summary>Looks at the link. One thread at a time asks a device.</summary>
    /// <returns>Whether it is another than before.</returns>
    public bool Refresh()
    {
        lock (_gate)
        {
            EthLink before = _link;
            _link = _device.Link;
            if (before.IsUp != _link.IsUp)
                _exception?.SetLink(_link.IsUp);
            return before != _link;
        }
    }

    /// <summary>The port's state.</summary>
    public EthernetPortStatus ReadStatus() => new()
    {
        Name = Config.Name,
        Device = Info.Name,
        Driver = Info.Driver,
        Mac = Info.Mac,
        IsInside = Config.Role == PortRole.Inside,
        Queues = _device.QueueCount,
        IsUp = Link.IsUp,
        IsRemoved = Link.IsRemoved,
        Megabits = Link.Megabits,
        SteersEsp = SteersEsp,
    };

    /// <summary>Whether the device puts ESP packets into the queue of their SA's lcore.</summary>
    public bool SteersEsp { get; private set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _device.Dispose();
        _exception?.Dispose();
    }

    private static IExceptionPort? OpenException(EthernetPortConfig config, PhysicalAddress mac, IReadOnlyList<PacketPool> pools, PortCatalog catalog) => config switch
    {
        { ExceptionTap: null } => null,
        { ExceptionDevice: null } => new ExceptionTap(config, mac, pools, catalog),
        _ => new ExceptionDevice(config, mac, pools, catalog),
    };

    private static EthernetIpOptions OptionsOf(EthernetPortConfig config, EthPortInfo info, IReadOnlyList<int> espUdpPorts) => new()
    {
        Mac = info.Mac,
        Addresses = [.. config.Addresses.Select(address => (address.Address, address.PrefixLength))],
        Gateways = config.Gateways,
        Mtu = config.Mtu,
        Role = config.Role == PortRole.Inside ? EthernetRole.Inside : EthernetRole.Outside,
        EspUdpPorts = espUdpPorts,
    };

    /// <summary>
    /// Asks the device to put an SA's packets into its lcore's queue. ESP in UDP has its SPI where no device looks: there, and where a device
    /// cannot, packets are spread by their addresses, and lcores hand on what is another's.
    /// </summary>
    private void Steer()
    {
        if (Config.Role != PortRole.Outside || _ports.Count == 1)
            return;
        SteersEsp = true;
        foreach (int version in Config.Addresses.Select(address => address.Address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? 4 : 6).Distinct())
        {
            for (int lcore = 0; SteersEsp && lcore < _ports.Count; lcore++)
                SteersEsp = _device.TrySteerEsp(lcore, version, (uint)(lcore + 1) << 24);
        }
    }

    private string NameInCatalog => $"dpdk:{Config.Name}";

    /// <summary>An lcore's port over its queue of the device; what is captured are the frames between the two.</summary>
    private EthernetIpPort OpenPort(int lcore, EthernetIpOptions options, PacketPool pool, PortCatalog catalog)
    {
        EthQueue queue = _device.Queue(lcore);
        EthernetIpPort? port = null;
        // Nobody reads before all ports are there.
        IPacketPort frames = catalog.Add(NameInCatalog, lcore, queue, () => EthernetPortReading.From(port!.ReadCounters(), queue.ReadCounters()),
            new PortLink(CaptureFraming.Ethernet, CaptureFraming.Ethernet, ShowsUsersTraffic: Config.Role == PortRole.Inside)
            {
                Description = Config.Role == PortRole.Inside ? "frames of the local network" : "frames outside: ESP, and what the kernel gets and sends",
            });
        return port = new EthernetIpPort(frames, options, pool, _exception?.PortOf(lcore));
    }

    private PortReading ReadDevice()
    {
        lock (_gate)
            return EthernetPortReading.From(_device.ReadCounters());
    }
}
