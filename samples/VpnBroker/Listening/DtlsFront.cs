using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;
using VpnBroker.Status;

namespace VpnBroker.Listening;

/// <summary>Where users' data channels over DTLS begin: a thread for each UDP endpoint, until their keys are with an lcore.</summary>
internal sealed class DtlsFront : IDisposable
{
    private readonly List<DtlsListener> _listeners = [];
    private readonly IReadOnlyList<IPEndPoint> _locals;

    private DtlsFront(IReadOnlyList<Socket> sockets) => _locals = [.. sockets.Select(socket => (IPEndPoint)socket.LocalEndPoint!)];

    /// <summary>Begins to serve the data plane's sockets.</summary>
    public static DtlsFront Start(IDataPlane dataPlane, SessionTable sessions, Func<LimitsConfig> limits, ILogger logger)
    {
        var front = new DtlsFront(dataPlane.DtlsSockets);
        for (int i = 0; i < dataPlane.DtlsSockets.Count; i++)
            front._listeners.Add(new DtlsListener(dataPlane.DtlsSockets[i], i, dataPlane, sessions, limits, logger));
        return front;
    }

    /// <summary>The UDP port for clients that came to an endpoint of TCP; null where there is none on that address.</summary>
    public int? PortOf(IPEndPoint local)
    {
        IPEndPoint[] fitting = [.. _locals.Where(udp => udp.AddressFamily == local.AddressFamily && (udp.Address.Equals(local.Address) || IsAny(udp.Address)))];
        return (fitting.FirstOrDefault(udp => udp.Port == local.Port) ?? fitting.FirstOrDefault())?.Port;
    }

    /// <summary>What became of handshakes, and of the channels on the lcores.</summary>
    public DtlsReport Report(DataPlaneStatus status) => new(
        status.Lcores.Sum(lcore => lcore.Dtls.Channels), Sum(status, lcore => lcore.Begun), Sum(status, lcore => lcore.Fallbacks), Sum(status, lcore => lcore.Moved),
        _listeners.Sum(listener => listener.HalfOpen), _listeners.Sum(listener => listener.Failed), _listeners.Sum(listener => listener.Refused),
        _listeners.Sum(listener => listener.CookieRequests), _listeners.Sum(listener => listener.Dropped));

    /// <summary>Ends the threads; the sockets are the data plane's.</summary>
    public void Dispose() => _listeners.ForEach(listener => listener.Dispose());

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static ulong Sum(DataPlaneStatus status, Func<DtlsStatus, ulong> count) => status.Lcores.Aggregate(0ul, (sum, lcore) => sum + count(lcore.Dtls));
}
