using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>A remote user who has authenticated, and asks for an inner address (RFC 7296 §2.19).</summary>
public sealed record IkeUserRequest
{
    /// <summary>The local SPI of the IKE SA.</summary>
    public required ulong IkeSa { get; init; }

    /// <summary>The connection's name.</summary>
    public required string Connection { get; init; }

    /// <summary>Who it is: the name that EAP has authenticated, or the identity of the certificate.</summary>
    public required string User { get; init; }

    /// <summary>Where the user is.</summary>
    public required IPEndPoint Remote { get; init; }

    /// <summary>Whether an IPv4 address is asked for.</summary>
    public bool AsksIPv4 { get; init; }

    /// <summary>Whether an IPv6 address is asked for.</summary>
    public bool AsksIPv6 { get; init; }

    /// <summary>The addresses that the user would like to have again; at most one of each family.</summary>
    public IReadOnlyList<IPAddress> Wanted { get; init; } = [];

    /// <summary>Whether an address of a family is asked for.</summary>
    public bool Asks(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? AsksIPv6 : AsksIPv4;
}
