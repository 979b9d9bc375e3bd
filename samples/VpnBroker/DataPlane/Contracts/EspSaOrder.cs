using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>Numbers the outbound SAs of a configuration: tunnels in the order of the file, their pairs in the order of the file.</summary>
public static class EspSaOrder
{
    /// <summary>The outbound SAs, each with its tunnel and lcore; an SA's index here is its number.</summary>
    public static IReadOnlyList<OutboundSaRef> Of(BrokerConfig config) =>
        config.Esp is null ? [] : [.. from tunnel in config.Esp.Tunnels from pair in tunnel.Pairs select new OutboundSaRef(tunnel, pair)];
}

/// <summary>An outbound SA with its tunnel.</summary>
/// <param name="Tunnel">The tunnel.</param>
/// <param name="Pair">The pair whose outbound SA is meant.</param>
public readonly record struct OutboundSaRef(EspTunnelConfig Tunnel, EspSaPairConfig Pair);

/// <summary>Sequence numbers that an outbound SA may use: reserved on disk before it does.</summary>
/// <param name="First">The first one; 1 for a new key (RFC 4303 §3.3.3).</param>
/// <param name="Limit">The first one behind the range.</param>
public readonly record struct SequenceRange(ulong First, ulong Limit);
