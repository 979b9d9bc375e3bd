using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.Ike.Wire;

/// <summary>A <see cref="TrafficSelector"/> on the wire (RFC 7296 §3.13.1).</summary>
internal static class TrafficSelectorFormat
{
    private const byte Ipv4Range = 7;
    private const byte Ipv6Range = 8;

    /// <summary>Type, protocol, length and ports.</summary>
    private const int HeaderSize = 8;

    /// <summary>Reads one selector.</summary>
    /// <param name="reader">Stands at the selector.</param>
    /// <param name="selector">
    /// What was read. Null without an error: it is of a kind that this library cannot grant (another type, OPAQUE ports, ports of no
    /// protocol), and leaving it out narrows the list, which RFC 7296 §2.9 allows.
    /// </param>
    public static IkeParseError Parse(ref IkeReader reader, out TrafficSelector? selector)
    {
        selector = null;
        if (!reader.TryReadByte(out byte type) || !reader.TryReadByte(out byte protocol) || !reader.TryReadUInt16(out ushort length)
            || length < 4 || !reader.TryReadBytes(length - 4, out ReadOnlySpan<byte> rest))
            return IkeParseError.BadTrafficSelector;
        if (type is not (Ipv4Range or Ipv6Range))
            return IkeParseError.None;
        int addressSize = type == Ipv6Range ? 16 : 4;
        IkeReader body = new(rest);
        if (length != HeaderSize + (2 * addressSize)
            || !body.TryReadUInt16(out ushort firstPort) || !body.TryReadUInt16(out ushort lastPort)
            || !body.TryReadBytes(addressSize, out ReadOnlySpan<byte> first)
            || !body.TryReadBytes(addressSize, out ReadOnlySpan<byte> last))
            return IkeParseError.BadTrafficSelector;
        bool isOpaque = firstPort == ushort.MaxValue && lastPort == 0;
        // Network order: bytes compare as the numbers do.
        if (first.SequenceCompareTo(last) > 0 || (firstPort > lastPort && !isOpaque))
            return IkeParseError.BadTrafficSelector;
        TrafficSelector.TryCreate(new IPAddress(first), new IPAddress(last), protocol, firstPort, lastPort, out selector);
        return IkeParseError.None;
    }

    public static void Write(IkeWriter writer, TrafficSelector selector)
    {
        bool isIPv6 = selector.Family == AddressFamily.InterNetworkV6;
        writer.WriteByte(isIPv6 ? Ipv6Range : Ipv4Range);
        writer.WriteByte(selector.Protocol);
        writer.WriteUInt16((ushort)(HeaderSize + (2 * (isIPv6 ? 16 : 4))));
        writer.WriteUInt16(selector.FirstPort);
        writer.WriteUInt16(selector.LastPort);
        writer.WriteBytes(selector.First.GetAddressBytes());
        writer.WriteBytes(selector.Last.GetAddressBytes());
    }
}
