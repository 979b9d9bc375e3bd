using System.Net;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>What one remote user is given. Immutable; the same object comes back with <see cref="IIkeRemoteAccess.Release"/>.</summary>
public sealed record IkeUserGrant
{
    private readonly IReadOnlyList<IPAddress> _addresses = [];

    /// <summary>
    /// The inner addresses, one of each family at most. Those of a family that the user did not ask for stay unused. The child SA's remote
    /// selectors are the used ones, and nothing else.
    /// </summary>
    /// <exception cref="ArgumentException">Two addresses are of one family.</exception>
    public required IReadOnlyList<IPAddress> Addresses
    {
        get => _addresses;
        init => _addresses = value.DistinctBy(address => address.AddressFamily).Count() == value.Count
            ? value : throw new ArgumentException("A user has one address of each family at most.", nameof(value));
    }

    /// <summary>Name servers of either family.</summary>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <summary>
    /// The networks behind the tunnel, of either family (RFC 7296 §3.15.2): what clients should send through it. Empty: they are not told, and
    /// take the traffic selectors.
    /// </summary>
    public IReadOnlyList<IPNetwork> Subnets { get; init; } = [];

    /// <summary>The domains whose names the name servers know (RFC 8598 §3.1); ASCII. Empty: clients are not told.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>Our side of the traffic that this user is granted, within that of the connection's child; null: all of it.</summary>
    public IReadOnlyList<TrafficSelector>? LocalSelectors { get; init; }

    /// <summary>
    /// The lcore that the user's child SAs are for: <see cref="IChildSpiSource.Allocate"/> is told it at rekeys too. Null: any.
    /// </summary>
    public int? Resource { get; init; }
}
