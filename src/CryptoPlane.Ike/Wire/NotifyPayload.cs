using System.Buffers.Binary;

namespace CryptoPlane.Ike.Wire;

/// <summary>N: an error or a piece of status (RFC 7296 §3.10).</summary>
/// <param name="NotifyType">What it says.</param>
/// <param name="Data">Its data, whose form depends on the type; empty for many.</param>
internal sealed record NotifyPayload(NotifyType NotifyType, byte[] Data) : IIkePayload
{
    /// <summary>Types from here on are status; below, errors (§3.10.1).</summary>
    private const int FirstStatusType = 16384;

    public NotifyPayload(NotifyType type)
        : this(type, [])
    {
    }

    /// <summary>The protocol of <see cref="Spi"/>; ignored when there is no SPI (§3.10).</summary>
    public SecurityProtocol Protocol { get; init; }

    /// <summary>
    /// The SA that REKEY_SA, CHILD_SA_NOT_FOUND and INVALID_SELECTORS speak of: the sender's inbound SPI. Otherwise empty.
    /// </summary>
    public byte[] Spi { get; init; } = [];

    public PayloadType Type => PayloadType.Notify;

    public bool IsError => (ushort)NotifyType < FirstStatusType;

    /// <summary>The method that INVALID_KE_PAYLOAD asks for (§1.3).</summary>
    public bool TryGetKeyExchangeMethod(out ushort method)
    {
        method = 0;
        return NotifyType == NotifyType.InvalidKePayload && Data.Length == 2 && BinaryPrimitives.TryReadUInt16BigEndian(Data, out method);
    }

    /// <summary>The SPI of ESP that this notification speaks of.</summary>
    public bool TryGetEspSpi(out uint spi)
    {
        spi = 0;
        return Protocol == SecurityProtocol.Esp && Spi.Length == 4 && BinaryPrimitives.TryReadUInt32BigEndian(Spi, out spi);
    }

    /// <summary>The hash algorithms of SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4), in the sender's order.</summary>
    public bool TryGetHashAlgorithms(out ushort[] algorithms)
    {
        algorithms = [];
        if (NotifyType != NotifyType.SignatureHashAlgorithms || Data.Length % 2 != 0)
            return false;
        algorithms = new ushort[Data.Length / 2];
        for (int i = 0; i < algorithms.Length; i++)
            algorithms[i] = BinaryPrimitives.ReadUInt16BigEndian(Data.AsSpan(2 * i));
        return true;
    }

    /// <summary>Refuses a critical payload, and names its type (§2.5).</summary>
    public static NotifyPayload UnsupportedCriticalPayload(PayloadType type) => new(NotifyType.UnsupportedCriticalPayload, [(byte)type]);

    /// <summary>Asks for another key-exchange method (§1.2).</summary>
    public static NotifyPayload InvalidKePayload(ushort method) => new(NotifyType.InvalidKePayload, [(byte)(method >> 8), (byte)method]);

    /// <summary>A notification about the ESP SA of this inbound SPI.</summary>
    public static NotifyPayload ForEsp(NotifyType type, uint spi)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, spi);
        return new NotifyPayload(type) { Protocol = SecurityProtocol.Esp, Spi = bytes };
    }

    /// <summary>The hash algorithms that this side verifies (RFC 7427 §4).</summary>
    public static NotifyPayload HashAlgorithms(ReadOnlySpan<ushort> algorithms)
    {
        byte[] data = new byte[2 * algorithms.Length];
        for (int i = 0; i < algorithms.Length; i++)
            BinaryPrimitives.WriteUInt16BigEndian(data.AsSpan(2 * i), algorithms[i]);
        return new NotifyPayload(NotifyType.SignatureHashAlgorithms, data);
    }

    public static IkeParseError Parse(ReadOnlySpan<byte> body, out NotifyPayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadByte(out byte protocol) || !reader.TryReadByte(out byte spiSize) || !reader.TryReadUInt16(out ushort type)
            || !reader.TryReadBytes(spiSize, out ReadOnlySpan<byte> spi))
            return IkeParseError.BadNotify;
        payload = new NotifyPayload((NotifyType)type, reader.Rest.ToArray()) { Protocol = (SecurityProtocol)protocol, Spi = spi.ToArray() };
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        if (Spi.Length > byte.MaxValue)
            throw new InvalidOperationException("An SPI has at most 255 bytes.");
        writer.WriteByte((byte)Protocol);
        writer.WriteByte((byte)Spi.Length);
        writer.WriteUInt16((ushort)NotifyType);
        writer.WriteBytes(Spi);
        writer.WriteBytes(Data);
    }
}
