using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>A <see cref="TrafficSelector"/> on the wire (RFC 7296 §3.13.1).</summary>
internal static class TrafficSelectorFormat
{
    private const byte Ipv4Range = 7;
    private const byte Ipv6Range = 8;

    /// <summary>Type, protocol, length and ports.</summary>
    private const int HeaderSize = 8;

    /// <summary>Reads one selector; null without an error: it is of a kind that this library does not know.</summary>
    public static IkeParseError Parse(ref IkeReader reader, out TrafficSelector? selector)
    {
        selector = null;
        if (!reader.TryReadByte(out byte type) || !reader.TryReadByte(out byte protocol) || !reader.TryReadUInt16(out ushort length)
            || length < 4 || !reader.TryReadBytes(length - 4, out ReadOnlySpan<byte> rest))
            return IkeParseError.BadTrafficSelector;
        if (type is not (Ipv4Range or Ipv6Range))
            return IkeParseError.None;
        int addressSize = type == Ipv6Range ? 16 : 4;
        if (length != HeaderSize + (2 * addressSize))
            return IkeParseError.BadTrafficSelector;
        ushort firstPort = BinaryPrimitives.ReadUInt16BigEndian(rest);
        ushort lastPort = BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
        bool isIPv6 = type == Ipv6Range;
        UInt128 first = ReadAddress(rest.Slice(4, addressSize));
        UInt128 last = ReadAddress(rest.Slice(4 + addressSize, addressSize));
        if (!TrafficSelector.AreRanges(isIPv6, first, last, firstPort, lastPort))
            return IkeParseError.BadTrafficSelector;
        selector = new TrafficSelector(isIPv6, first, last, protocol, firstPort, lastPort);
        return IkeParseError.None;
    }

    public static void Write(IkeWriter writer, in TrafficSelector selector)
    {
        int addressSize = selector.IsIPv6 ? 16 : 4;
        writer.WriteByte(selector.IsIPv6 ? Ipv6Range : Ipv4Range);
        writer.WriteByte(selector.Protocol);
        writer.WriteUInt16((ushort)(HeaderSize + (2 * addressSize)));
        writer.WriteUInt16(selector.FirstPort);
        writer.WriteUInt16(selector.LastPort);
        Span<byte> address = stackalloc byte[16];
        foreach (UInt128 end in (ReadOnlySpan<UInt128>)[selector.First, selector.Last])
        {
            BinaryPrimitives.WriteUInt128BigEndian(address, end);
            writer.WriteBytes(address[^addressSize..]);
        }
    }

    private static UInt128 ReadAddress(ReadOnlySpan<byte> bytes) =>
        bytes.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
}
