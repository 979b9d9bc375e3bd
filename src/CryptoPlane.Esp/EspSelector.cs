using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Esp;

/// <summary>
/// One end's part of what a security association carries (RFC 4301 §4.4.1.1): a range of addresses, a protocol, a range of ports. An SA
/// has a list of them for either end, and carries a packet if one of each list matches.
/// </summary>
/// <param name="FirstAddress">Lowest address of the range.</param>
/// <param name="LastAddress">Highest address of the range, of the same family.</param>
/// <param name="Protocol">The protocol above IP, behind IPv6's extension headers; 0 for any.</param>
/// <param name="FirstPort">
/// Lowest port of this end; for ICMP the type in the upper and the code in the lower eight bits, for IPv6's Mobility Header its type in
/// the upper eight (RFC 4301 §4.4.1.1), of messages that this end sends (§4.4.1.3).
/// </param>
/// <param name="LastPort">Highest port, counted as <paramref name="FirstPort"/> is.</param>
/// <remarks>
/// Ports 0 to 65,535 are "any": they match, too, where a packet has no port or hides it, such as a fragment behind the first. Any other
/// range matches only packets that show their port. First 65,535 and last 0 is "opaque" (RFC 7296 §3.13.1): packets without a port to
/// be seen, and no others.
/// </remarks>
public readonly record struct EspSelector(
    IPAddress FirstAddress, IPAddress LastAddress, byte Protocol = 0, ushort FirstPort = 0, ushort LastPort = ushort.MaxValue)
{
    /// <summary>All addresses of a prefix, any protocol, any port.</summary>
    public static EspSelector FromPrefix(IPNetwork prefix) => FromPrefix(prefix, 0);

    /// <summary>All addresses of a prefix, with a protocol and ports.</summary>
    public static EspSelector FromPrefix(IPNetwork prefix, byte protocol, ushort firstPort = 0, ushort lastPort = ushort.MaxValue)
    {
        byte[] last = prefix.BaseAddress.GetAddressBytes();
        for (int bit = prefix.PrefixLength; bit < last.Length * 8; bit++)
            last[bit / 8] |= (byte)(0x80 >> (bit % 8));
        return new EspSelector(prefix.BaseAddress, new IPAddress(last), protocol, firstPort, lastPort);
    }

    /// <summary>Whether the ports are "opaque".</summary>
    internal bool IsOpaque => FirstPort == ushort.MaxValue && LastPort == 0;

    /// <summary>Whether packets match whatever their protocol and port.</summary>
    internal bool IsAddressOnly => Protocol == 0 && FirstPort == 0 && LastPort == ushort.MaxValue;

    /// <summary>Whether the addresses are IPv6's.</summary>
    internal bool IsIPv6 => FirstAddress.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>An address as a number that can be compared; an IPv4 address has its 32 bits.</summary>
    internal static UInt128 NumberOf(IPAddress address)
    {
        UInt128 number = 0;
        foreach (byte part in address.GetAddressBytes())
            number = (number << 8) | part;
        return number;
    }

    /// <exception cref="ArgumentException">Addresses are missing, of two families or in the wrong order; or the ports are.</exception>
    internal void Validate()
    {
        if (FirstAddress is null || LastAddress is null || FirstAddress.AddressFamily != LastAddress.AddressFamily)
            throw new ArgumentException("A selector needs a first and a last address of one family.");
        if (NumberOf(FirstAddress) > NumberOf(LastAddress))
            throw new ArgumentException($"A selector's addresses go from the lower to the higher one, not from {FirstAddress} to {LastAddress}.");
        if (FirstPort > LastPort && !IsOpaque)
            throw new ArgumentException($"A selector's ports go from the lower to the higher one, not from {FirstPort} to {LastPort}.");
    }
}
