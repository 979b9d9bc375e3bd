using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Devices;

/// <summary>
/// The data plane's ports by name. Whoever opens ports adds them before the lcores start; status reports read it on the supervisor's thread.
/// </summary>
internal sealed class PortCatalog
{
    private readonly List<PortEntry> _entries = [];

    /// <summary>Adds a port.</summary>
    /// <exception cref="ArgumentException">The lcore has a port of this name.</exception>
    public void Add(PortEntry entry)
    {
        if (_entries.Any(other => other.Name == entry.Name && other.Lcore == entry.Lcore))
            throw new ArgumentException($"There are two ports named {entry.Name} on one lcore: give each its own name.", nameof(entry));
        _entries.Add(entry);
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
