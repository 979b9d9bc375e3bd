using System.Net;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Esp;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Devices;

/// <summary>
/// The sockets that carry ESP: one for each local end of the configuration's tunnels that the kernel has, on every lcore, steered by the SPI.
/// Control threads.
/// </summary>
internal sealed class EspSockets : IDisposable
{
    private readonly List<(EspMode Mode, IPEndPoint Local)> _ends;
    private readonly List<IDisposable> _ports = [];
    private readonly PortCatalog _catalog;

    /// <summary>Finds out which local ends there are; opens nothing yet.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="catalog">Where the ports are noted.</param>
    public EspSockets(BrokerConfig config, PortCatalog catalog)
    {
        _ends = [.. (config.Esp?.Tunnels ?? []).Where(tunnel => config.CarrierOf(tunnel) == null).Select(tunnel => (tunnel.Mode, tunnel.Local)).Distinct()];
        _catalog = catalog;
    }

    /// <summary>ESP ports of an lcore.</summary>
    public int Count => _ends.Count;

    /// <summary>Which of an lcore's ESP ports carries a tunnel.</summary>
    public int PortOf(EspTunnelConfig tunnel) => _ends.IndexOf((tunnel.Mode, tunnel.Local));

    /// <summary>Opens the ports of all lcores.</summary>
    /// <param name="pools">The lcores' pools, in their order.</param>
    /// <returns>Each lcore's ports, in the order of <see cref="PortOf"/>.</returns>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what to do.</exception>
    public IReadOnlyList<IReadOnlyList<EspPort>> Open(IReadOnlyList<PacketPool> pools)
    {
        List<EspPort>[] ports = [.. pools.Select(_ => new List<EspPort>())];
        foreach ((EspMode mode, IPEndPoint local) in _ends)
        {
            // The sockets of a group are numbered in the order in which they are bound.
            for (int lcore = 0; lcore < pools.Count; lcore++)
                ports[lcore].Add(mode == EspMode.Udp ? OpenUdp(local, lcore, pools[lcore]) : OpenRaw(local.Address, lcore, pools));
            if (mode == EspMode.Udp && pools.Count > 1)
                LcoreSteering.AttachToGroup(ports[0][^1].FileDescriptor, pools.Count);
        }
        return ports;
    }

    /// <inheritdoc/>
    public void Dispose() => _ports.ForEach(port => port.Dispose());

    private EspPort OpenUdp(IPEndPoint local, int lcore, PacketPool pool)
    {
        var port = new UdpPort(new UdpPortOptions { Local = local }, pool);
        _ports.Add(port);
        var link = new PortLink(CaptureFraming.UdpPayload, CaptureFraming.UdpPayload, ShowsUsersTraffic: false)
        {
            Local = local, Description = "ESP in UDP; the IP and UDP headers are written by the capture, since the kernel keeps them",
        };
        IPacketPort shown = _catalog.Add($"udp:{local}", lcore, port, () => KernelPortReading.From(port.ReadCounters()), link);
        return new EspPort(shown, port.FileDescriptor, EspIngress.UdpPayload);
    }

    private EspPort OpenRaw(IPAddress local, int lcore, IReadOnlyList<PacketPool> pools)
    {
        var port = new RawEspPort(local, lcore, pools.Count, pools[lcore]);
        _ports.Add(port);
        bool ipv4 = local.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;
        // The kernel gives the IPv4 header and keeps the IPv6 header; it wants neither.
        var link = new PortLink(ipv4 ? CaptureFraming.Ip : CaptureFraming.Esp, CaptureFraming.Esp, ShowsUsersTraffic: false)
        {
            Local = new IPEndPoint(local, 0), Description = "ESP; the outer IP headers that the kernel keeps are written by the capture",
        };
        IPacketPort shown = _catalog.Add($"esp:{local}", lcore, port, () => KernelPortReading.From(port.ReadCounters()), link);
        return new EspPort(shown, port.FileDescriptor, ipv4 ? EspIngress.IpPacket : EspIngress.Esp);
    }
}
