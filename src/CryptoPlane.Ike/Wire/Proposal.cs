namespace CryptoPlane.Ike.Wire;

/// <summary>One proposal of an SA payload (RFC 7296 §3.3.1): any one transform of each type in it.</summary>
/// <param name="Number">Its number; the answer repeats the chosen one's.</param>
/// <param name="Protocol">What the SA is for.</param>
/// <param name="Spi">The sender's inbound SPI: 4 bytes for ESP, 8 for the rekey of an IKE SA, none in IKE_SA_INIT.</param>
/// <param name="Transforms">In the sender's order of preference.</param>
internal sealed record Proposal(byte Number, SecurityProtocol Protocol, byte[] Spi, IReadOnlyList<Transform> Transforms)
{
    /// <summary>The first byte where another proposal follows (RFC 7296 §3.3.1).</summary>
    private const byte More = 2;

    /// <summary>The SPI as a number, whatever its size of up to 8 bytes.</summary>
    public ulong SpiValue
    {
        get
        {
            ulong value = 0;
            foreach (byte b in Spi)
                value = (value << 8) | b;
            return value;
        }
    }

    /// <summary>Reads one proposal substructure.</summary>
    /// <param name="reader">Stands at the proposal.</param>
    /// <param name="transformsLeft">How many transforms the payload may still have.</param>
    /// <param name="proposal">What was read.</param>
    /// <param name="isLast">The substructure says that it is the last one.</param>
    internal static IkeParseError Parse(ref IkeReader reader, ref int transformsLeft, out Proposal? proposal, out bool isLast)
    {
        proposal = null;
        if (!Substructure.TryRead(ref reader, More, out IkeReader body, out isLast)
            || !body.TryReadByte(out byte number) || !body.TryReadByte(out byte protocol) || !body.TryReadByte(out byte spiSize)
            || !body.TryReadByte(out byte count) || !body.TryReadBytes(spiSize, out ReadOnlySpan<byte> spi)
            || !IsSpiSizeOf((SecurityProtocol)protocol, spiSize))
            return IkeParseError.BadProposal;
        if (count > transformsLeft)
            return IkeParseError.TooManyTransforms;
        transformsLeft -= count;
        Transform[] transforms = new Transform[count];
        for (int i = 0; i < count; i++)
        {
            IkeParseError error = Transform.Parse(ref body, out transforms[i], out bool lastTransform);
            if (error != IkeParseError.None)
                return error;
            if (lastTransform != (i == count - 1))
                return IkeParseError.BadTransform;
        }
        if (!body.IsAtEnd)
            return IkeParseError.BadProposal;
        proposal = new Proposal(number, (SecurityProtocol)protocol, spi.ToArray(), transforms);
        return IkeParseError.None;
    }

    internal void Write(IkeWriter writer, bool isLast)
    {
        if (Spi.Length > byte.MaxValue || Transforms.Count > byte.MaxValue)
            throw new InvalidOperationException("A proposal has an SPI of at most 255 bytes and at most 255 transforms.");
        int start = writer.Length;
        int length = Substructure.Begin(writer, More, isLast);
        writer.WriteByte(Number);
        writer.WriteByte((byte)Protocol);
        writer.WriteByte((byte)Spi.Length);
        writer.WriteByte((byte)Transforms.Count);
        writer.WriteBytes(Spi);
        for (int i = 0; i < Transforms.Count; i++)
            Transforms[i].Write(writer, i == Transforms.Count - 1);
        writer.EndLength(length, start);
    }

    /// <summary>An SPI of another size than its protocol's is no SPI; of protocols that nobody knows here, any size is skipped.</summary>
    private static bool IsSpiSizeOf(SecurityProtocol protocol, byte size) => protocol switch
    {
        SecurityProtocol.Ike => size is 0 or 8,
        SecurityProtocol.Ah or SecurityProtocol.Esp => size == 4,
        _ => true,
    };
}
