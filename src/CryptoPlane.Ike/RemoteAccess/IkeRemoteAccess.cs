using System.Net;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>What remote users are given when they ask for it (RFC 7296 §2.19). Immutable.</summary>
public sealed class IkeRemoteAccess
{
    /// <summary>
    /// Where their addresses come from. The same object belongs in the connections of a later <see cref="IkeEndpoint.SetConnections"/>: another one
    /// would not know of the addresses that users have.
    /// </summary>
    public required IIkeAddressSource Addresses { get; init; }

    /// <summary>Name servers of either family.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <summary>
    /// The networks behind the tunnel, of either family (RFC 7296 §3.15.2): what clients should send through it. Empty: they are not told, and
    /// take the traffic selectors.
    /// </summary>
    public IReadOnlyList<IPNetwork> Subnets { get; init; } = [];
}
