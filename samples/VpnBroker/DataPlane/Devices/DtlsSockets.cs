using System.Net;
using System.Net.Sockets;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using CryptoPlane.Ports;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Pipeline;

namespace VpnBroker.DataPlane.Devices;

/// <summary>
/// The UDP sockets of users' data channels: for each endpoint one on every lcore, and one for handshakes on control threads, which gets what
/// is not protected yet. Control threads.
/// </summary>
internal sealed class DtlsSockets : IDisposable
{
    private readonly List<IDisposable> _ports = [];
    private readonly List<Socket> _control = [];
    private readonly IReadOnlyList<IPEndPoint> _ends;
    private readonly PortCatalog _catalog;
    private readonly int _clients;

    /// <summary>Finds out which endpoints there are; opens nothing yet.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="catalog">Where the ports are noted.</param>
    public DtlsSockets(BrokerConfig config, PortCatalog catalog)
    {
        _ends = config.OffersDtls
            ? [.. config.Listen!.Endpoints.Select(listen => new IPEndPoint(listen.Address, config.Dtls.Port ?? listen.Port)).Distinct()]
            : [];
        _catalog = catalog;
        _clients = config.Limits.Sessions;
    }

    /// <summary>
    /// What tells the kernel which lcore has a client's data channel; null with one lcore, and where the kernel does not let this process: datagrams
    /// come to any lcore then, and are handed over.
    /// </summary>
    public PeerSteering? Steering { get; private set; }

    /// <summary>The sockets for handshakes, once they are open; not blocking. Their indices are the lcores' port numbers.</summary>
    public IReadOnlyList<Socket> Control => _control;

    /// <summary>Opens the sockets of all lcores.</summary>
    /// <param name="pools">The lcores' pools, in their order.</param>
    /// <returns>Each lcore's ports.</returns>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what to do.</exception>
    public IReadOnlyList<IReadOnlyList<WatchedPort>> Open(IReadOnlyList<PacketPool> pools)
    {
        List<WatchedPort>[] ports = [.. pools.Select(_ => new List<WatchedPort>())];
        if (_ends.Count > 0 && pools.Count > 1)
            Steering = PeerSteering.TryCreate(_clients);
        foreach (IPEndPoint wanted in _ends)
        {
            IPEndPoint local = wanted;
            int descriptor = -1;
            // The sockets of a group are numbered in the order in which they are bound.
            for (int lcore = 0; lcore < pools.Count; lcore++)
            {
                var port = new UdpPort(new UdpPortOptions { Local = local }, pools[lcore]);
                _ports.Add(port);
                // Port 0 is chosen once, and the others join it.
                local = port.LocalEndPoint;
                descriptor = port.FileDescriptor;
                var link = new PortLink(CaptureFraming.UdpPayload, CaptureFraming.UdpPayload, ShowsUsersTraffic: false)
                {
                    Local = local, Description = "users' DTLS; the IP and UDP headers are written by the capture, since the kernel keeps them",
                };
                IPacketPort shown = _catalog.Add($"dtls:{wanted}", lcore, port, () => KernelPortReading.From(port.ReadCounters()), link);
                ports[lcore].Add(new WatchedPort(shown, port.FileDescriptor));
            }
            OpenControl(local);
            int version = local.AddressFamily == AddressFamily.InterNetwork ? 4 : 6;
            if (Steering is null || !Steering.TryAttachDtlsToGroup(descriptor, pools.Count, version))
                LcoreSteering.AttachDtlsToGroup(descriptor, pools.Count, version);
        }
        return ports;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ports.ForEach(port => port.Dispose());
        _control.ForEach(socket => socket.Dispose());
        Steering?.Dispose();
    }

    private void OpenControl(IPEndPoint local)
    {
        try
        {
            _control.Add(GroupSocket.Bind(local));
        }
        catch (SocketException e)
        {
            throw new InvalidOperationException($"DTLS cannot bind to UDP {local}: {e.Message}. Is the port free? dtls: {{enabled: false}} does without.", e);
        }
    }
}
