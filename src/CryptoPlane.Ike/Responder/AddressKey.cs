using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.Responder;

/// <summary>Whom limits are for: an IPv4 address, or the /64 of an IPv6 address, within which a host chooses at will.</summary>
/// <param name="Family">IPv4 or IPv6.</param>
/// <param name="Value">The address, or the first 64 bits of it.</param>
internal readonly record struct AddressKey(AddressFamily Family, ulong Value)
{
    /// <summary>The key of an address. IPv4 addresses that a socket for both shows as IPv6's count as what they are.</summary>
    public static AddressKey Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        if (length == 4)
            return new AddressKey(AddressFamily.InterNetwork, BinaryPrimitives.ReadUInt32BigEndian(bytes));
        return address.IsIPv4MappedToIPv6
            ? new AddressKey(AddressFamily.InterNetwork, BinaryPrimitives.ReadUInt32BigEndian(bytes[12..]))
            : new AddressKey(AddressFamily.InterNetworkV6, BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }
}
