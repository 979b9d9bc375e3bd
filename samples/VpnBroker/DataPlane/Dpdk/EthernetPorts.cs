using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Devices;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>The Ethernet ports of the configuration, and what each lcore has of them. Control threads.</summary>
internal sealed class EthernetPorts : IDisposable
{
    private readonly List<EthernetPortUnit> _units = [];

    /// <summary>Opens the ports.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="pools">The lcores' pools, in their order, of blocks that DPDK knows.</param>
    /// <param name="catalog">Where the ports' counters are noted.</param>
    /// <exception cref="InvalidOperationException">A port is not there or refuses; the message says what to do.</exception>
    public EthernetPorts(BrokerConfig config, IReadOnlyList<PacketPool> pools, PortCatalog catalog)
    {
        try
        {
            foreach (EthernetPortConfig port in config.Dpdk!.Ports)
                _units.Add(new EthernetPortUnit(port, EspUdpPortsOf(config, port), pools, catalog));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The ports, in the order of the file.</summary>
    public IReadOnlyList<EthernetPortUnit> Units => _units;

    /// <summary>What carries ESP of a local address; null where a socket of the kernel does.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="mode">In UDP or not.</param>
    /// <param name="local">The address.</param>
    /// <param name="sockets">How many ESP ports the lcores have before those of this class.</param>
    public EspCarrier? CarrierOf(BrokerConfig config, EspMode mode, IPAddress local, int sockets)
    {
        int index = Outside.FindIndex(unit => unit.Config == config.CarrierOf(local));
        return index < 0 ? null : new EspCarrier(sockets + index, mode == EspMode.Udp ? EspOuterHeader.IpUdp : EspOuterHeader.Ip);
    }

    /// <summary>An lcore's ports that carry ESP.</summary>
    public IEnumerable<EspPort> EspOf(int lcore) => Outside.Select(unit => new EspPort(unit.PortOf(lcore), -1, EspIngress.IpPacket));

    /// <summary>An lcore's port towards the local network, or null.</summary>
    public WatchedPort? InsideOf(int lcore) =>
        _units.Find(unit => unit.Config.Role == PortRole.Inside) is { } inside ? new WatchedPort(inside.PortOf(lcore), -1) : null;

    /// <summary>An lcore's links.</summary>
    public IReadOnlyList<EthernetLink> LinksOf(int lcore) => [.. _units.Select(unit => unit.LinkOf(lcore))];

    /// <summary>States of the ports.</summary>
    public IReadOnlyList<EthernetPortStatus> ReadStatus() => [.. _units.Select(unit => unit.ReadStatus())];

    /// <summary>Closes the ports, whose packets go back to their pools; the lcores have stopped.</summary>
    public void Dispose()
    {
        _units.ForEach(unit => unit.Dispose());
        _units.Clear();
    }

    private List<EthernetPortUnit> Outside => _units.FindAll(unit => unit.Config.Role == PortRole.Outside);

    private static int[] EspUdpPortsOf(BrokerConfig config, EthernetPortConfig port) =>
    [
        .. (config.Esp?.Tunnels ?? []).Where(tunnel => tunnel.Mode == EspMode.Udp).Select(tunnel => tunnel.Local)
            .Concat((config.Ipsec?.Listen ?? []).Select(address => new IPEndPoint(address, IpsecConfig.NatPort)))
            .Where(local => config.CarrierOf(local.Address) == port).Select(local => local.Port).Distinct(),
    ];
}
