namespace VpnBroker.DataPlane.Cstp;

/// <summary>What <see cref="CstpFrame.TryParse"/> found.</summary>
internal enum CstpStatus : byte
{
    /// <summary>A frame that fills its record.</summary>
    Ok,

    /// <summary>Shorter than a header.</summary>
    Truncated,

    /// <summary>It does not begin with <c>53 54 46 01</c>, or the last header byte is not 0.</summary>
    BadHeader,

    /// <summary>The length field is not that of the record: frames must be neither split nor put together.</summary>
    BadLength,

    /// <summary>A type that this protocol does not have.</summary>
    UnknownType,
}

/// <summary>
/// CSTP, the framing of the OpenConnect protocol inside TLS: exactly one frame in each TLS record, both ways.
/// </summary>
/// <remarks>
/// <code>
/// | 53 54 46 01 | length (16 bits, big-endian) | type | 00 | payload ... |
/// </code>
/// </remarks>
internal static unsafe class CstpFrame
{
    /// <summary>Bytes before the payload.</summary>
    public const int HeaderSize = 8;

    /// <summary>Largest payload that the length field can state.</summary>
    public const int MaxPayload = ushort.MaxValue;

    /// <summary><c>53 54 46 01</c> as a little-endian word.</summary>
    private const uint Magic = 0x01465453;

    /// <summary>Checks the frame that a record carries.</summary>
    /// <param name="record">The record's content.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="type">The type, with <see cref="CstpStatus.Ok"/>.</param>
    // Sound: reads the first 8 bytes, and only after the length was checked.
    public static CstpStatus TryParse(byte* record, int length, out CstpType type)
    {
        type = default;
        if (length < HeaderSize)
            return CstpStatus.Truncated;
        if (NetworkOrder.LittleEndian(*(uint*)record) != Magic || record[7] != 0)
            return CstpStatus.BadHeader;
        if (NetworkOrder.From(*(ushort*)(record + 4)) != length - HeaderSize)
            return CstpStatus.BadLength;
        type = (CstpType)record[6];
        return type is CstpType.Data or CstpType.DpdRequest or CstpType.DpdResponse or CstpType.Disconnect
            or CstpType.Keepalive or CstpType.Compressed or CstpType.Terminate
            ? CstpStatus.Ok
            : CstpStatus.UnknownType;
    }

    /// <summary>Writes a header of <see cref="HeaderSize"/> bytes.</summary>
    /// <param name="destination">Where it goes.</param>
    /// <param name="type">The frame's type.</param>
    /// <param name="payloadLength">0 to <see cref="MaxPayload"/>.</param>
    public static void WriteHeader(byte* destination, CstpType type, int payloadLength)
    {
        *(uint*)destination = NetworkOrder.LittleEndian(Magic);
        *(ushort*)(destination + 4) = NetworkOrder.From((ushort)payloadLength);
        destination[6] = (byte)type;
        destination[7] = 0;
    }
}
