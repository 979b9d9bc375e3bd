namespace CryptoPlane.Ike.Wire;

/// <summary>CP: asks for or gives an address and what goes with it (RFC 7296 §3.15).</summary>
internal sealed record ConfigurationPayload(ConfigurationType ConfigurationType, IReadOnlyList<ConfigurationAttribute> Attributes)
    : IIkePayload
{
    /// <summary>A bound that stays far above what clients ask for and gateways give.</summary>
    public const int MaximumAttributes = 256;

    /// <summary>The reserved bit before the 15 bits of an attribute's type.</summary>
    private const ushort ReservedBit = 0x8000;

    public PayloadType Type => PayloadType.Configuration;

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out ConfigurationPayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadByte(out byte type) || !reader.TrySkip(3))
            return IkeParseError.BadConfiguration;
        List<ConfigurationAttribute> attributes = [];
        while (!reader.IsAtEnd)
        {
            if (attributes.Count == MaximumAttributes || !reader.TryReadUInt16(out ushort attribute)
                || !reader.TryReadUInt16(out ushort length) || !reader.TryReadBytes(length, out ReadOnlySpan<byte> value))
                return IkeParseError.BadConfiguration;
            attributes.Add(new ConfigurationAttribute((ConfigurationAttributeType)(attribute & ~ReservedBit), value.ToArray()));
        }
        payload = new ConfigurationPayload((ConfigurationType)type, attributes);
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteByte((byte)ConfigurationType);
        writer.WriteZeros(3);
        foreach (ConfigurationAttribute attribute in Attributes)
        {
            writer.WriteUInt16((ushort)attribute.Type);
            writer.WriteUInt16(checked((ushort)attribute.Value.Length));
            writer.WriteBytes(attribute.Value);
        }
    }
}
