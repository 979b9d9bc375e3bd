using System.Net.Sockets;

namespace CryptoPlane.Ike.Fragmentation;

/// <summary>How much of an IP packet is left for an IKE message.</summary>
internal static class FragmentSize
{
    private const int Ipv4Header = 20, Ipv6Header = 40, UdpHeader = 8, NonEspMarker = 4;

    /// <summary>Bytes of an IKE message that fit an IP packet.</summary>
    /// <param name="packetSize">Longest packet in bytes, IP header included (RFC 7383 §2.5.1).</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="hasMarker">The message goes by port 4500 and has the non-ESP marker before it (RFC 3948 §2.2).</param>
    public static int MessageBytes(int packetSize, AddressFamily family, bool hasMarker) =>
        packetSize - (family == AddressFamily.InterNetworkV6 ? Ipv6Header : Ipv4Header) - UdpHeader - (hasMarker ? NonEspMarker : 0);
}
