namespace CryptoPlane.Ike.Wire;

/// <summary>D (RFC 7296 §3.11): the sender has deleted these inbound SAs of its own, or the IKE SA of this message.</summary>
/// <param name="Protocol">Of the SAs.</param>
/// <param name="Spis">The sender's inbound SPIs; empty for the IKE SA.</param>
internal sealed record DeletePayload(SecurityProtocol Protocol, IReadOnlyList<uint> Spis) : IIkePayload
{
    /// <summary>More child SAs than one message will close: a bound on memory before anything was looked up.</summary>
    public const int MaximumSpis = 1024;

    public PayloadType Type => PayloadType.Delete;

    /// <summary>Deletes the IKE SA.</summary>
    public static DeletePayload IkeSa => new(SecurityProtocol.Ike, []);

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out DeletePayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadByte(out byte protocol) || !reader.TryReadByte(out byte spiSize) || !reader.TryReadUInt16(out ushort count))
            return IkeParseError.BadDelete;
        bool isIke = (SecurityProtocol)protocol == SecurityProtocol.Ike;
        bool isChild = (SecurityProtocol)protocol is SecurityProtocol.Ah or SecurityProtocol.Esp;
        if ((!isIke && !isChild) || spiSize != (isIke ? 0 : 4) || (isIke && count != 0) || count > MaximumSpis
            || reader.Rest.Length != count * spiSize)
            return IkeParseError.BadDelete;
        uint[] spis = new uint[count];
        for (int i = 0; i < spis.Length; i++)
            reader.TryReadUInt32(out spis[i]);
        payload = new DeletePayload((SecurityProtocol)protocol, spis);
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        writer.WriteByte((byte)Protocol);
        writer.WriteByte(Protocol == SecurityProtocol.Ike ? (byte)0 : (byte)4);
        writer.WriteUInt16(checked((ushort)Spis.Count));
        foreach (uint spi in Spis)
            writer.WriteUInt32(spi);
    }
}
