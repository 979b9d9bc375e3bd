using CryptoPlane.Flows.Sessions;

namespace CryptoPlane.Ipfix.Names;

/// <summary>
/// What the numbers of flow records stand for. The exporter asks on its own thread, seldom: it remembers answers for a while.
/// </summary>
/// <remarks>
/// A session's last record may arrive after the session is gone: an application that wants its name there keeps it for some seconds.
/// No method may block, or throw.
/// </remarks>
public interface IFlowNames
{
    /// <summary>The name of a tunnel, and of its user.</summary>
    /// <returns>Null when nothing is known.</returns>
    FlowTunnelName? FindTunnel(FlowTunnelKind kind, ulong id);

    /// <summary>The name of a rule.</summary>
    /// <returns>Null when it has none.</returns>
    string? FindRule(uint rule);

    /// <summary>The name of a reason for which packets were dropped.</summary>
    /// <returns>Null when nothing is known.</returns>
    string? FindDropReason(ushort reason);

    /// <summary>
    /// The reason in IANA's terms (registry "IPFIX Information Elements", forwardingStatus): 128 to 191, of which 128 says nothing more.
    /// </summary>
    byte ForwardingStatusOf(ushort reason) => 128;
}

/// <summary>What a tunnel is called.</summary>
/// <param name="Name">Its name, such as an interface's; empty for none.</param>
/// <param name="User">The user behind it; empty for none.</param>
public readonly record struct FlowTunnelName(string Name, string User);

/// <summary>No names: numbers alone are exported.</summary>
public sealed class NoFlowNames : IFlowNames
{
    /// <inheritdoc/>
    public FlowTunnelName? FindTunnel(FlowTunnelKind kind, ulong id) => null;

    /// <inheritdoc/>
    public string? FindRule(uint rule) => null;

    /// <inheritdoc/>
    public string? FindDropReason(ushort reason) => null;
}
