using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>The header of every IKE message (RFC 7296 §3.1). Checked by <see cref="Parse"/>; nothing in it is authentic yet.</summary>
internal readonly record struct IkeHeader(
    ulong InitiatorSpi, ulong ResponderSpi, ExchangeType Exchange, IkeHeaderFlags Flags, uint MessageId)
{
    /// <summary>Length in bytes on the wire.</summary>
    public const int Size = 28;

    /// <summary>Major version 2, minor version 0.</summary>
    private const byte Version = 0x20;

    /// <summary>The first payload of the message. <see cref="IkeWriter"/> fills it in when it writes.</summary>
    public PayloadType NextPayload { get; init; }

    /// <summary>The message answers a request.</summary>
    public bool IsResponse => (Flags & IkeHeaderFlags.Response) != 0;

    /// <summary>The sender is the original initiator of the IKE SA.</summary>
    public bool FromInitiator => (Flags & IkeHeaderFlags.Initiator) != 0;

    /// <summary>Reads the header of <paramref name="message"/>, a whole datagram without the non-ESP marker.</summary>
    /// <remarks>
    /// On <see cref="IkeParseError.UnsupportedMajorVersion"/> <paramref name="header"/> is filled in as well: RFC 7296 §2.5 wants an
    /// answer with the same SPIs and message ID. Minor versions and reserved flags are ignored, as the RFC demands.
    /// </remarks>
    public static IkeParseError Parse(ReadOnlySpan<byte> message, out IkeHeader header)
    {
        header = default;
        if (message.Length < Size)
            return IkeParseError.Truncated;
        header = new IkeHeader(
            BinaryPrimitives.ReadUInt64BigEndian(message),
            BinaryPrimitives.ReadUInt64BigEndian(message[8..]),
            (ExchangeType)message[18],
            (IkeHeaderFlags)message[19],
            BinaryPrimitives.ReadUInt32BigEndian(message[20..]))
        { NextPayload = (PayloadType)message[16] };
        int major = message[17] >> 4;
        if (major > 2)
            return IkeParseError.UnsupportedMajorVersion;
        if (major < 2)
            return IkeParseError.ObsoleteMajorVersion;
        return BinaryPrimitives.ReadUInt32BigEndian(message[24..]) == (uint)message.Length
            ? IkeParseError.None : IkeParseError.BadMessageLength;
    }

    /// <summary>Writes the header of a message of <paramref name="length"/> bytes in all.</summary>
    public void Write(Span<byte> destination, int length)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, InitiatorSpi);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], ResponderSpi);
        destination[16] = (byte)NextPayload;
        destination[17] = Version;
        destination[18] = (byte)Exchange;
        destination[19] = (byte)Flags;
        BinaryPrimitives.WriteUInt32BigEndian(destination[20..], MessageId);
        BinaryPrimitives.WriteUInt32BigEndian(destination[24..], (uint)length);
    }
}
