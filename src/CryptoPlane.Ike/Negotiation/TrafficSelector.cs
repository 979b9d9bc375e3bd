using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike;

/// <summary>
/// A range of addresses and ports of one protocol (RFC 7296 §3.13.1): what a child SA may carry. Immutable, safe for every thread; equal
/// where all parts are.
/// </summary>
/// <remarks>
/// The ports of ICMP and ICMPv6 are the message type (upper byte) and code (lower byte). Selectors for packets whose ports cannot be seen
/// ("OPAQUE", first port 65535 and last 0) are not supported: whoever reads a peer's list leaves them out, which narrows it.
/// </remarks>
public sealed record TrafficSelector
{
    private TrafficSelector(AddressFamily family, UInt128 first, UInt128 last, byte protocol, ushort firstPort, ushort lastPort)
    {
        Family = family;
        FirstValue = first;
        LastValue = last;
        Protocol = protocol;
        FirstPort = firstPort;
        LastPort = lastPort;
    }

    /// <summary>All of IPv4.</summary>
    public static TrafficSelector AnyIPv4 { get; } = new(AddressFamily.InterNetwork, 0, uint.MaxValue, 0, 0, ushort.MaxValue);

    /// <summary>All of IPv6.</summary>
    public static TrafficSelector AnyIPv6 { get; } = new(AddressFamily.InterNetworkV6, 0, UInt128.MaxValue, 0, 0, ushort.MaxValue);

    /// <summary>IPv4 or IPv6.</summary>
    public AddressFamily Family { get; }

    /// <summary>The lowest address.</summary>
    public IPAddress First => ToAddress(FirstValue);

    /// <summary>The highest address.</summary>
    public IPAddress Last => ToAddress(LastValue);

    /// <summary>The IP protocol's number; 0: all of them.</summary>
    public byte Protocol { get; }

    /// <summary>The lowest port.</summary>
    public ushort FirstPort { get; }

    /// <summary>The highest port.</summary>
    public ushort LastPort { get; }

    /// <summary>The lowest address as a number.</summary>
    internal UInt128 FirstValue { get; }

    /// <summary>The highest address as a number.</summary>
    internal UInt128 LastValue { get; }

    /// <summary>A range, as a peer or a configuration gives it.</summary>
    /// <param name="first">The lowest address.</param>
    /// <param name="last">The highest address, of the same family.</param>
    /// <param name="protocol">The IP protocol's number; 0: all.</param>
    /// <param name="firstPort">The lowest port.</param>
    /// <param name="lastPort">The highest port.</param>
    /// <param name="selector">The selector, or null.</param>
    /// <returns>False where the last address or port is below the first, the families differ, or there are ports of no protocol.</returns>
    public static bool TryCreate(
        IPAddress first, IPAddress last, byte protocol, ushort firstPort, ushort lastPort, [NotNullWhen(true)] out TrafficSelector? selector)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(last);
        selector = null;
        return first.AddressFamily == last.AddressFamily
            && TryCreate(first.AddressFamily, ToValue(first), ToValue(last), protocol, firstPort, lastPort, out selector);
    }

    /// <summary>A range of addresses as numbers, as it comes from the wire.</summary>
    /// <returns>As the other method; also false where an IPv4 address has more than 32 bits.</returns>
    internal static bool TryCreate(
        AddressFamily family, UInt128 first, UInt128 last, byte protocol, ushort firstPort, ushort lastPort,
        [NotNullWhen(true)] out TrafficSelector? selector)
    {
        bool allPorts = firstPort == 0 && lastPort == ushort.MaxValue;
        bool valid = first <= last && (family == AddressFamily.InterNetworkV6 || last <= uint.MaxValue) && firstPort <= lastPort && (protocol != 0 || allPorts);
        selector = valid ? new TrafficSelector(family, first, last, protocol, firstPort, lastPort) : null;
        return valid;
    }

    /// <summary>A prefix, with all protocols and ports.</summary>
    public static TrafficSelector FromPrefix(IPNetwork prefix)
    {
        UInt128 first = ToValue(prefix.BaseAddress);
        int hostBits = (prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork ? 32 : 128) - prefix.PrefixLength;
        UInt128 last = hostBits == 128 ? UInt128.MaxValue : first | ((UInt128.One << hostBits) - 1);
        return new TrafficSelector(prefix.BaseAddress.AddressFamily, first, last, 0, 0, ushort.MaxValue);
    }

    /// <summary>
    /// Reads a selector as people write it: an address, a prefix, or two addresses with '-' between; then, if not all, <c>[protocol]</c>,
    /// <c>[protocol/port]</c> or <c>[protocol/first-last]</c>. Protocols are numbers or icmp, tcp, udp, icmpv6, sctp.
    /// </summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static TrafficSelector Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        ReadOnlySpan<char> addresses = text;
        byte protocol = 0;
        ushort firstPort = 0, lastPort = ushort.MaxValue;
        int bracket = text.IndexOf('[');
        if (bracket >= 0)
        {
            addresses = addresses[..bracket];
            if (!TryParsePorts(text.AsSpan(bracket), out protocol, out firstPort, out lastPort))
                throw new FormatException($"'{text}': behind the addresses write [protocol], [protocol/port] or [protocol/first-last].");
        }
        IPAddress? first, last;
        int dash = addresses.IndexOf('-');
        if (dash >= 0)
        {
            if (!IPAddress.TryParse(addresses[..dash], out first) || !IPAddress.TryParse(addresses[(dash + 1)..], out last))
                throw new FormatException($"'{text}' is no range of addresses: write it as 192.0.2.1-192.0.2.9.");
        }
        else if (IPNetwork.TryParse(addresses, out IPNetwork prefix))
        {
            TrafficSelector all = FromPrefix(prefix);
            (first, last) = (all.First, all.Last);
        }
        else if (IPAddress.TryParse(addresses, out first))
        {
            last = first;
        }
        else
        {
            throw new FormatException($"'{text}' is no prefix, address or range: write it as 192.0.2.0/24.");
        }
        return TryCreate(first, last, protocol, firstPort, lastPort, out TrafficSelector? selector)
            ? selector : throw new FormatException($"'{text}': the last address or port is below the first, or the families differ.");
    }

    /// <summary>Whether everything that <paramref name="other"/> takes is taken by this selector too.</summary>
    public bool Covers(TrafficSelector other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return Family == other.Family && FirstValue <= other.FirstValue && other.LastValue <= LastValue
            && (Protocol == 0 || Protocol == other.Protocol) && FirstPort <= other.FirstPort && other.LastPort <= LastPort;
    }

    /// <summary>What both selectors take.</summary>
    /// <returns>Null where that is nothing.</returns>
    public TrafficSelector? Intersect(TrafficSelector other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Family != other.Family || (Protocol != 0 && other.Protocol != 0 && Protocol != other.Protocol))
            return null;
        UInt128 first = UInt128.Max(FirstValue, other.FirstValue), last = UInt128.Min(LastValue, other.LastValue);
        ushort firstPort = Math.Max(FirstPort, other.FirstPort), lastPort = Math.Min(LastPort, other.LastPort);
        return first <= last && firstPort <= lastPort
            ? new TrafficSelector(Family, first, last, Math.Max(Protocol, other.Protocol), firstPort, lastPort) : null;
    }

    /// <summary>
    /// The prefixes that make up the range of addresses, in ascending order, for routes. Protocol and ports are not looked at.
    /// </summary>
    /// <returns>At least one; at most 62 for IPv4 and 254 for IPv6.</returns>
    public IReadOnlyList<IPNetwork> ToPrefixes()
    {
        List<IPNetwork> prefixes = [];
        int bits = Family == AddressFamily.InterNetwork ? 32 : 128;
        for (UInt128 first = FirstValue; ;)
        {
            // The largest block that begins here: as the address is aligned, and as there is left.
            int hostBits = first == 0 ? bits : Math.Min(bits, (int)UInt128.TrailingZeroCount(first));
            while (hostBits > 0 && LastValue - first < Mask(hostBits))
                hostBits--;
            prefixes.Add(new IPNetwork(ToAddress(first), bits - hostBits));
            UInt128 last = first + Mask(hostBits);
            if (last == LastValue)
                return prefixes;
            first = last + 1;
        }

        static UInt128 Mask(int hostBits) => hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
    }

    /// <summary>The same protocol and ports of other addresses, which the caller has in order.</summary>
    internal TrafficSelector WithAddresses(UInt128 first, UInt128 last) => new(Family, first, last, Protocol, FirstPort, LastPort);

    /// <summary>The same addresses with other ports, which the caller has in order.</summary>
    internal TrafficSelector WithPorts(ushort first, ushort last) => new(Family, FirstValue, LastValue, Protocol, first, last);

    /// <summary>As <see cref="Parse"/> takes it.</summary>
    public override string ToString()
    {
        UInt128 size = LastValue - FirstValue;
        int bits = Family == AddressFamily.InterNetwork ? 32 : 128;
        // A prefix: as many addresses as a power of two, and the first is a multiple of it.
        int hostBits = 128 - (int)UInt128.LeadingZeroCount(size);
        bool isPrefix = (size & (size + 1)) == 0 && (FirstValue & size) == 0;
        string addresses = isPrefix ? $"{First}/{bits - hostBits}" : $"{First}-{Last}";
        string ports = (FirstPort, LastPort) == (0, ushort.MaxValue) ? "" : FirstPort == LastPort ? $"/{FirstPort}" : $"/{FirstPort}-{LastPort}";
        return Protocol == 0 ? addresses : $"{addresses}[{Protocol}{ports}]";
    }

    private static bool TryParsePorts(ReadOnlySpan<char> text, out byte protocol, out ushort first, out ushort last)
    {
        protocol = 0;
        (first, last) = (0, ushort.MaxValue);
        if (text.Length < 3 || text[^1] != ']')
            return false;
        text = text[1..^1];
        int slash = text.IndexOf('/');
        if (!TryParseProtocol(slash < 0 ? text : text[..slash], out protocol))
            return false;
        if (slash < 0)
            return true;
        text = text[(slash + 1)..];
        int dash = text.IndexOf('-');
        if (!ushort.TryParse(dash < 0 ? text : text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out first))
            return false;
        last = first;
        return dash < 0 || ushort.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out last);
    }

    private static bool TryParseProtocol(ReadOnlySpan<char> text, out byte protocol)
    {
        protocol = text switch
        {
            "icmp" => 1,
            "tcp" => 6,
            "udp" => 17,
            "icmpv6" => 58,
            "sctp" => 132,
            _ => 0,
        };
        return protocol != 0 || byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out protocol);
    }

    private static UInt128 ToValue(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private IPAddress ToAddress(UInt128 value)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(Family == AddressFamily.InterNetwork ? bytes[12..] : bytes);
    }
}
