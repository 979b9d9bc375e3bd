using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Names;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.Sessions;

namespace VpnBroker.Export;

/// <summary>Users, tunnels, rules and reasons by the numbers that flow records have. The exporter's thread asks; control threads tell.</summary>
internal sealed class BrokerFlowNames(SessionTable? sessions) : IFlowNames
{
    /// <summary>Ended sessions whose users are remembered: the last records of a session come after its end.</summary>
    private const int MaximumEnded = 65_536;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, string> _ended = [];
    private readonly Queue<ulong> _order = [];
    private FlowLabels _labels = FlowLabels.None;
    private string _localNetwork = "";

    /// <summary>Takes what the data plane knows of now.</summary>
    public void Use(FlowLabels labels) => Volatile.Write(ref _labels, labels);

    /// <summary>Takes the names of a configuration.</summary>
    public void Use(BrokerConfig config) =>
        Volatile.Write(ref _localNetwork, config.Tun?.Name ?? config.Dpdk?.Ports.FirstOrDefault(port => port.Role == PortRole.Inside)?.Name ?? "");

    /// <summary>Remembers a session's user.</summary>
    public void Remember(ulong session, string user)
    {
        lock (_gate)
        {
            if (!_ended.TryAdd(session, user))
                return;
            _order.Enqueue(session);
            if (_order.Count > MaximumEnded)
                _ended.Remove(_order.Dequeue());
        }
    }

    /// <inheritdoc/>
    public FlowTunnelName? FindTunnel(FlowTunnelKind kind, ulong id) => kind switch
    {
        FlowTunnelKind.User => UserOf(id) is { } user ? new FlowTunnelName("", user) : null,
        FlowTunnelKind.Esp => Volatile.Read(ref _labels).EspTunnels.TryGetValue(id, out string? name) ? new FlowTunnelName(name, "") : null,
        FlowTunnelKind.Tun or FlowTunnelKind.Port => new FlowTunnelName(Volatile.Read(ref _localNetwork), ""),
        FlowTunnelKind.Lcore => new FlowTunnelName($"lcore {id}", ""),
        _ => null,
    };

    /// <inheritdoc/>
    public string? FindRule(uint rule) => Volatile.Read(ref _labels).Rules.GetValueOrDefault(rule);

    /// <inheritdoc/>
    public string? FindDropReason(ushort reason) => reason < (ushort)DropReason.Count ? DropReasonNames.Of((DropReason)reason) : null;

    /// <inheritdoc/>
    public byte ForwardingStatusOf(ushort reason) => (DropReason)reason switch
    {
        // IANA, forwardingStatus: 129 an access list denies, 131 unroutable, 133 too large, 134 header checksum, 135 total length, 137 TTL, 140 reverse path.
        DropReason.PolicyDenied => 129,
        DropReason.NoRoute or DropReason.NoTunnel or DropReason.NoPort or DropReason.DestinationAddress => 131,
        DropReason.TooBig or DropReason.Oversize => 133,
        DropReason.InnerChecksum => 134,
        DropReason.InnerMalformed => 135,
        DropReason.HopLimit => 137,
        DropReason.SourceAddress or DropReason.Selectors => 140,
        _ => 128,
    };

    private string? UserOf(ulong session)
    {
        if (sessions?.UserOf(session) is { } user)
            return user;
        lock (_gate)
            return _ended.GetValueOrDefault(session);
    }
}
