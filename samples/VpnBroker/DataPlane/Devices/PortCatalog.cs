using System.Net;
using CryptoPlane.Capture;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Devices;

/// <summary>
/// The data plane's ports by name, and the points where packets can be captured. Whoever opens ports adds them before the lcores start;
/// status reports read it on the supervisor's thread.
/// </summary>
internal sealed class PortCatalog
{
    private readonly List<PortEntry> _entries = [];
    private readonly List<CapturePoint> _points = [];
    private IReadOnlyList<CaptureTap> _taps = [];

    /// <summary>Where packets can be captured; by number.</summary>
    public IReadOnlyList<CapturePoint> CapturePoints => [.. _points.Where(point => point.Lcores.Count > 0)];

    /// <summary>Notes the lcores' taps and with them the points inside of the pipeline; before any port is added.</summary>
    /// <param name="taps">One for each lcore, by its index.</param>
    /// <param name="users">Whether users connect.</param>
    public void UseTaps(IReadOnlyList<CaptureTap> taps, bool users)
    {
        _taps = taps;
        int[] lcores = [.. Enumerable.Range(0, taps.Count)];
        _points.Add(new CapturePoint(CapturePoint.Inner, "inner", lcores)
        {
            ShowsUsersTraffic = true, Description = "inner packets, opened (in) and before sealing (out)",
        });
        _points.Add(new CapturePoint(CapturePoint.Dropped, "dropped", lcores)
        {
            ShowsUsersTraffic = true, Description = "inner packets that go no further; the comment says why",
        });
        _points.Add(new CapturePoint(CapturePoint.Tls, "tls", users ? lcores : [])
        {
            Description = "users' connections, received and as sealed; the IP and TCP headers are written by the capture, since the kernel keeps them",
        });
    }

    /// <summary>Adds a port.</summary>
    /// <exception cref="ArgumentException">The lcore has a port of this name.</exception>
    public void Add(PortEntry entry)
    {
        if (_entries.Any(other => other.Name == entry.Name && other.Lcore == entry.Lcore))
            throw new ArgumentException($"There are two ports named {entry.Name} on one lcore: give each its own name.", nameof(entry));
        _entries.Add(entry);
    }

    /// <summary>Adds an lcore's port, and makes that it can be captured.</summary>
    /// <param name="name">As in <see cref="DevicePortStatus.Name"/>.</param>
    /// <param name="lcore">The lcore.</param>
    /// <param name="port">The port.</param>
    /// <param name="read">Reads its counters; called on the supervisor's thread as long as the data plane runs.</param>
    /// <param name="link">What its packets are.</param>
    /// <returns>What the lcore uses in the port's place.</returns>
    /// <exception cref="ArgumentException">The lcore has a port of this name.</exception>
    public IPacketPort Add(string name, int lcore, IPacketPort port, Func<PortReading> read, PortLink link)
    {
        Add(new PortEntry(name, lcore, read));
        int index = _points.FindIndex(point => point.Name == name);
        if (index < 0)
        {
            // More ports than points: the rest of them works, and cannot be captured.
            if (_points.Count == CaptureTap.MaxPoints)
                return port;
            index = _points.Count;
            _points.Add(new CapturePoint(index, name, [])
            {
                ShowsUsersTraffic = link.ShowsUsersTraffic,
                LinkType = link.Receive == CaptureFraming.Ethernet ? PcapngLinkType.Ethernet : PcapngLinkType.Raw,
                Local = link.Local is { } local ? PacketEndpoint.From(local) : default,
                Description = link.Description,
            });
        }
        _points[index] = _points[index] with { Lcores = [.. _points[index].Lcores, lcore] };
        return new CapturingPort(port, _taps[lcore], new CapturePort
        {
            Point = index, ReceiveFraming = link.Receive, TransmitFraming = link.Transmit, Local = _points[index].Local,
        });
    }

    /// <summary>All counters of now: the ports by their names, each lcore by lcore.</summary>
    public IReadOnlyList<DevicePortStatus> Read() =>
    [
        .. _entries.OrderBy(entry => entry.Name, StringComparer.Ordinal).ThenBy(entry => entry.Lcore ?? -1)
            .Select(entry => new DevicePortStatus { Name = entry.Name, Lcore = entry.Lcore, Reading = entry.Read() }),
    ];
}

/// <summary>A port in the catalog.</summary>
/// <param name="Name">As in <see cref="DevicePortStatus.Name"/>.</param>
/// <param name="Lcore">As in <see cref="DevicePortStatus.Lcore"/>.</param>
/// <param name="Read">Reads its counters; called on the supervisor's thread as long as the data plane runs.</param>
internal sealed record PortEntry(string Name, int? Lcore, Func<PortReading> Read);

/// <summary>What a port's packets are, for captures.</summary>
/// <param name="Receive">What received packets begin with.</param>
/// <param name="Transmit">What packets to be sent begin with.</param>
/// <param name="ShowsUsersTraffic">Whether users' traffic passes in clear.</param>
internal sealed record PortLink(CaptureFraming Receive, CaptureFraming Transmit, bool ShowsUsersTraffic)
{
    /// <summary>The local end of a socket.</summary>
    public IPEndPoint? Local { get; init; }

    /// <summary>For the capture file.</summary>
    public string? Description { get; init; }
}
