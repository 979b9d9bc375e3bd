namespace CryptoPlane.Ike.Wire;

/// <summary>One algorithm of a proposal (RFC 7296 §3.3.2).</summary>
/// <param name="Type">What it is for.</param>
/// <param name="Id">IANA's number of the algorithm within its type.</param>
/// <param name="KeyLength">The key-length attribute in bits; zero: there is none.</param>
internal readonly record struct Transform(TransformType Type, ushort Id, ushort KeyLength = 0)
{
    /// <summary>The first byte where another transform follows (RFC 7296 §3.3.2).</summary>
    private const byte More = 3;

    /// <summary>The only attribute there is (§3.3.5), in the short form that it must have.</summary>
    private const ushort KeyLengthAttribute = 0x8000 | 14;

    private const ushort ShortFormBit = 0x8000;

    /// <summary>There was an attribute that this library does not know, so the transform must not be chosen (§3.3.6).</summary>
    public bool HasUnknownAttributes { get; init; }

    /// <summary>Reads one transform substructure.</summary>
    /// <param name="reader">Stands at the transform.</param>
    /// <param name="transform">What was read.</param>
    /// <param name="isLast">The substructure says that it is the last one.</param>
    internal static IkeParseError Parse(ref IkeReader reader, out Transform transform, out bool isLast)
    {
        transform = default;
        if (!Substructure.TryRead(ref reader, More, out IkeReader body, out isLast)
            || !body.TryReadByte(out byte type) || !body.TrySkip(1) || !body.TryReadUInt16(out ushort id))
            return IkeParseError.BadTransform;
        ushort keyLength = 0;
        bool hasUnknown = false;
        while (!body.IsAtEnd)
        {
            if (!body.TryReadUInt16(out ushort attribute) || !body.TryReadUInt16(out ushort valueOrLength))
                return IkeParseError.BadTransform;
            if (attribute == KeyLengthAttribute)
            {
                // Zero bits, or two different lengths, are no algorithm.
                if (valueOrLength == 0 || keyLength != 0)
                    return IkeParseError.BadTransform;
                keyLength = valueOrLength;
                continue;
            }
            hasUnknown = true;
            if ((attribute & ShortFormBit) == 0 && !body.TrySkip(valueOrLength))
                return IkeParseError.BadTransform;
        }
        transform = new Transform((TransformType)type, id, keyLength) { HasUnknownAttributes = hasUnknown };
        return IkeParseError.None;
    }

    internal void Write(IkeWriter writer, bool isLast)
    {
        int start = writer.Length;
        int length = Substructure.Begin(writer, More, isLast);
        writer.WriteByte((byte)Type);
        writer.WriteByte(0);
        writer.WriteUInt16(Id);
        if (KeyLength != 0)
        {
            writer.WriteUInt16(KeyLengthAttribute);
            writer.WriteUInt16(KeyLength);
        }
        writer.EndLength(length, start);
    }
}
