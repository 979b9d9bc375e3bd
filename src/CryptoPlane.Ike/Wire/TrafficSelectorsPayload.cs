namespace CryptoPlane.Ike.Wire;

/// <summary>TSi, TSr (RFC 7296 §3.13): the traffic that a child SA is for, as a union of selectors.</summary>
/// <param name="Type">Which side's addresses they are.</param>
/// <param name="Selectors">IPv4 and IPv6 ranges.</param>
internal sealed record TrafficSelectorsPayload(PayloadType Type, IReadOnlyList<TrafficSelector> Selectors) : IIkePayload
{
    /// <summary>There were selectors that this library cannot grant (security labels, OPAQUE ports), and that were left out.</summary>
    public bool HasUnknownSelectors { get; init; }

    public static IkeParseError Parse(PayloadType type, ReadOnlySpan<byte> body, out TrafficSelectorsPayload? payload)
    {
        payload = null;
        IkeReader reader = new(body);
        if (!reader.TryReadByte(out byte count) || !reader.TrySkip(3) || count == 0)
            return IkeParseError.BadTrafficSelector;
        List<TrafficSelector> selectors = [];
        for (int i = 0; i < count; i++)
        {
            IkeParseError error = TrafficSelectorFormat.Parse(ref reader, out TrafficSelector? selector);
            if (error != IkeParseError.None)
                return error;
            if (selector is not null)
                selectors.Add(selector);
        }
        if (!reader.IsAtEnd)
            return IkeParseError.BadTrafficSelector;
        payload = new TrafficSelectorsPayload(type, selectors) { HasUnknownSelectors = selectors.Count != count };
        return IkeParseError.None;
    }

    public void WriteBody(IkeWriter writer)
    {
        if (Selectors.Count is 0 or > byte.MaxValue)
            throw new InvalidOperationException("A TS payload has 1 to 255 selectors.");
        writer.WriteByte((byte)Selectors.Count);
        writer.WriteZeros(3);
        foreach (TrafficSelector selector in Selectors)
            TrafficSelectorFormat.Write(writer, selector);
    }
}
