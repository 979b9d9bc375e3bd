using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.RemoteAccess;

/// <summary>Where the inner addresses of remote users come from. Called on the endpoint's thread, so it must answer at once.</summary>
public interface IIkeAddressSource
{
    /// <summary>Takes an address that nobody else has.</summary>
    /// <param name="user">Who it is for: authenticated.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="wanted">The address that the user would like; null: any.</param>
    /// <param name="address">The address, to be given back by <see cref="Release"/>.</param>
    /// <returns>False where there is none left.</returns>
    bool TryLease(string user, AddressFamily family, IPAddress? wanted, [NotNullWhen(true)] out IPAddress? address);

    /// <summary>Gives an address back.</summary>
    void Release(IPAddress address);
}
