namespace CryptoPlane.Dpdk.Lab;

/// <summary>Packets that say which they are, and whose every byte follows from that.</summary>
internal interface INumbered
{
    /// <summary>Bytes of a packet: from the shortest to the longest, one after the other.</summary>
    int LengthOf(ulong number);

    /// <summary>Writes a packet.</summary>
    /// <param name="packet">Of <see cref="LengthOf"/> its number.</param>
    /// <param name="direction">0 or 1; its stations follow from it.</param>
    /// <param name="number">From 1.</param>
    void Write(Span<byte> packet, int direction, ulong number);

    /// <summary>Whether a packet is one of these; others, such as those of a kernel's neighbour discovery, need not be looked at.</summary>
    bool IsOurs(ReadOnlySpan<byte> packet);

    /// <summary>The number of a packet, or 0 if it is not as it was written.</summary>
    ulong Check(ReadOnlySpan<byte> packet, int direction);
}
