using System.Net;
using System.Net.Sockets;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.Esp;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Devices;

/// <summary>
/// The sockets that carry ESP: one for each local end of the configuration's tunnels that the kernel has, on every lcore, steered by the SPI;
/// and those on which IKE shares UDP port 4500 with ESP. Control threads.
/// </summary>
internal sealed class EspSockets : IDisposable
{
    private readonly List<(EspMode Mode, IPEndPoint Local)> _ends;
    private readonly List<IDisposable> _ports = [];
    private readonly List<Socket> _ike = [];
    private readonly IReadOnlyList<IPAddress> _ikeAddresses;
    private readonly PortCatalog _catalog;

    /// <summary>Finds out which local ends there are; opens nothing yet.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="catalog">Where the ports are noted.</param>
    public EspSockets(BrokerConfig config, PortCatalog catalog)
    {
        _ikeAddresses = config.Ipsec?.Listen ?? [];
        _ends =
        [
            .. (config.Esp?.Tunnels ?? []).Select(tunnel => (tunnel.Mode, tunnel.Local)).Concat(_ikeAddresses.SelectMany(address => EndsOf(config.Ipsec!, address)))
                .Where(end => config.CarrierOf(end.Local.Address) == null).Distinct(),
        ];
        _catalog = catalog;
    }

    /// <summary>ESP ports of an lcore.</summary>
    public int Count => _ends.Count;

    /// <summary>
    /// IKE's sockets on port 4500, once they are open: members of the lcores' groups, which get what begins with a zero byte; or, where a DPDK port
    /// takes ESP away before, sockets of their own. Not blocking.
    /// </summary>
    public IReadOnlyList<Socket> IkeSockets => _ike;

    /// <summary>The local ends of an lcore's ESP ports, by their index.</summary>
    public IReadOnlyList<IPEndPoint> Locals => [.. _ends.Select(end => end.Local)];

    /// <summary>Which of an lcore's ESP ports has a local end; negative for none.</summary>
    public int PortOf(EspMode mode, IPEndPoint local) => _ends.IndexOf((mode, local));

    /// <summary>What carries negotiated ESP of a local address, or null.</summary>
    public EspCarrier? CarrierOf(EspMode mode, IPAddress local) =>
        PortOf(mode, new IPEndPoint(local, mode == EspMode.Udp ? IpsecConfig.NatPort : 0)) is >= 0 and var port ? new EspCarrier(port, EspOuterHeader.None) : null;

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
            bool ike = mode == EspMode.Udp && local.Port == IpsecConfig.NatPort && _ikeAddresses.Contains(local.Address);
            if (ike)
                OpenIke(local);
            if (mode == EspMode.Udp && (ike || pools.Count > 1))
                LcoreSteering.AttachToGroup(ports[0][^1].FileDescriptor, pools.Count, controlSocket: ike);
        }
        return ports;
    }

    /// <summary>Opens IKE's sockets for addresses of DPDK ports, which the kernel has once these are open.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what to do.</exception>
    public void OpenIkeBesideDpdk()
    {
        foreach (IPAddress address in _ikeAddresses.Where(address => CarrierOf(EspMode.Udp, address) == null))
            OpenIke(new IPEndPoint(address, IpsecConfig.NatPort));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _ike.ForEach(socket => socket.Dispose());
    }

    private static IEnumerable<(EspMode Mode, IPEndPoint Local)> EndsOf(IpsecConfig ipsec, IPAddress address)
    {
        yield return (EspMode.Udp, new IPEndPoint(address, IpsecConfig.NatPort));
        if (ipsec.PlainEsp)
            yield return (EspMode.Raw, new IPEndPoint(address, 0));
    }

    private void OpenIke(IPEndPoint local)
    {
        try
        {
            _ike.Add(GroupSocket.Bind(local));
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"IKE cannot bind to {local}: {e.Message}. Is the address one of this machine's, and the port free?", e);
        }
    }

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
        bool ipv4 = local.AddressFamily == AddressFamily.InterNetwork;
        // The kernel gives the IPv4 header and keeps the IPv6 header; it wants neither.
        var link = new PortLink(ipv4 ? CaptureFraming.Ip : CaptureFraming.Esp, CaptureFraming.Esp, ShowsUsersTraffic: false)
        {
            Local = new IPEndPoint(local, 0), Description = "ESP; the outer IP headers that the kernel keeps are written by the capture",
        };
        IPacketPort shown = _catalog.Add($"esp:{local}", lcore, port, () => KernelPortReading.From(port.ReadCounters()), link);
        return new EspPort(shown, port.FileDescriptor, ipv4 ? EspIngress.IpPacket : EspIngress.Esp);
    }
}
