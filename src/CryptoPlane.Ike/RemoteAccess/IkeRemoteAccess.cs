using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>Gives all remote users the same, and each an address of its own (RFC 7296 §2.19). Immutable.</summary>
public sealed class IkeRemoteAccess : IIkeRemoteAccess
{
    /// <summary>
    /// Where their addresses come from. The same object belongs in the connections of a later <see cref="IkeEndpoint.SetConnections"/>: another one
    /// would not know of the addresses that users have.
    /// </summary>
    public required IIkeAddressSource Addresses { get; init; }

    /// <inheritdoc cref="IkeUserGrant.NameServers"/>
    public IReadOnlyList<IPAddress> NameServers { get; init; } = [];

    /// <inheritdoc cref="IkeUserGrant.Subnets"/>
    public IReadOnlyList<IPNetwork> Subnets { get; init; } = [];

    /// <inheritdoc/>
    public IkeUserGrant? Admit(IkeUserRequest user)
    {
        ArgumentNullException.ThrowIfNull(user);
        List<IPAddress> addresses = [];
        foreach (AddressFamily family in (AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6])
        {
            IPAddress? wanted = user.Wanted.FirstOrDefault(address => address.AddressFamily == family);
            if (user.Asks(family) && Addresses.TryLease(user.User, family, wanted, out IPAddress? address))
                addresses.Add(address);
        }
        return addresses.Count == 0 ? null : new IkeUserGrant { Addresses = addresses, NameServers = NameServers, Subnets = Subnets };
    }

    /// <inheritdoc/>
    public void Release(IkeUserGrant grant)
    {
        ArgumentNullException.ThrowIfNull(grant);
        foreach (IPAddress address in grant.Addresses)
            Addresses.Release(address);
    }
}
