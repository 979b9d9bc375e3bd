using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike;

/// <summary>
/// Packets of one IP version by their range of addresses, protocol and range of ports (RFC 7296 §3.13.1). Immutable. The default value is
/// the IPv4 address 0.0.0.0, any protocol, port 0.
/// </summary>
public readonly record struct TrafficSelector
{
    /// <summary>A selector.</summary>
    /// <param name="isIPv6">Addresses are IPv6's.</param>
    /// <param name="first">First address as a number (of an IPv4 address, its 32 bits).</param>
    /// <param name="last">Last address as a number; not below the first.</param>
    /// <param name="protocol">IP protocol; 0: any.</param>
    /// <param name="firstPort">First port; of ICMP, type and code (§3.13.1).</param>
    /// <param name="lastPort">Last port; not below the first, except for OPAQUE: first 65,535, last 0.</param>
    /// <exception cref="ArgumentException">A range ends before it begins, or an IPv4 address has more than 32 bits.</exception>
    public TrafficSelector(bool isIPv6, UInt128 first, UInt128 last, byte protocol = 0, ushort firstPort = 0, ushort lastPort = ushort.MaxValue)
    {
        if (!AreRanges(isIPv6, first, last, firstPort, lastPort))
            throw new ArgumentException("A selector's ranges must not end before they begin, and its addresses must be of its IP version.", nameof(last));
        IsIPv6 = isIPv6;
        First = first;
        Last = last;
        Protocol = protocol;
        FirstPort = firstPort;
        LastPort = lastPort;
    }

    /// <summary>Whether the addresses are IPv6's.</summary>
    public bool IsIPv6 { get; }

    /// <summary>First address as a number.</summary>
    public UInt128 First { get; }

    /// <summary>Last address as a number, itself included.</summary>
    public UInt128 Last { get; }

    /// <summary>IP protocol; 0: any.</summary>
    public byte Protocol { get; }

    /// <summary>First port.</summary>
    public ushort FirstPort { get; }

    /// <summary>Last port, itself included.</summary>
    public ushort LastPort { get; }

    /// <summary>RFC 7296 §3.13.1: ports that cannot be seen, as in fragments; neither any port nor port 0.</summary>
    public bool IsOpaque => FirstPort > LastPort;

    /// <summary>The first address.</summary>
    public IPAddress FirstAddress => ToAddress(IsIPv6, First);

    /// <summary>The last address.</summary>
    public IPAddress LastAddress => ToAddress(IsIPv6, Last);

    /// <summary>All packets of a prefix.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="protocol">IP protocol; 0: any.</param>
    public static TrafficSelector Of(IPNetwork prefix, byte protocol = 0)
    {
        bool isIPv6 = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        int hostBits = (isIPv6 ? 128 : 32) - prefix.PrefixLength;
        UInt128 first = ToNumber(prefix.BaseAddress);
        // A shift by all of the type's 128 bits would be a shift by none.
        UInt128 hosts = hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        return new TrafficSelector(isIPv6, first, first | hosts, protocol);
    }

    /// <summary>An address as a number.</summary>
    public static UInt128 ToNumber(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>A number as an address.</summary>
    public static IPAddress ToAddress(bool isIPv6, UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (isIPv6)
            BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        else
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)number);
        return new IPAddress(isIPv6 ? bytes : bytes[..4]);
    }

    /// <summary>As people write it: <c>10.0.0.0-10.0.0.255[17/500-500]</c>, the part in brackets only where it restricts something.</summary>
    public override string ToString()
    {
        string addresses = First == Last ? FirstAddress.ToString() : $"{FirstAddress}-{LastAddress}";
        bool anyPort = FirstPort == 0 && LastPort == ushort.MaxValue;
        if (Protocol == 0 && anyPort)
            return addresses;
        string ports = anyPort ? "" : IsOpaque ? "/opaque" : string.Create(CultureInfo.InvariantCulture, $"/{FirstPort}-{LastPort}");
        return string.Create(CultureInfo.InvariantCulture, $"{addresses}[{Protocol}{ports}]");
    }

    /// <summary>Whether the constructor would take these ranges.</summary>
    internal static bool AreRanges(bool isIPv6, UInt128 first, UInt128 last, ushort firstPort, ushort lastPort) =>
        first <= last && (isIPv6 || last <= uint.MaxValue) && (firstPort <= lastPort || (firstPort == ushort.MaxValue && lastPort == 0));
}
