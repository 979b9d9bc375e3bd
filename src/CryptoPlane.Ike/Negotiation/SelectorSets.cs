namespace CryptoPlane.Ike.Negotiation;

/// <summary>Lists of traffic selectors as the sets of packets that they take: any selector of the list suffices.</summary>
internal static class SelectorSets
{
    /// <summary>Most selectors of one payload, whose count is a byte (RFC 7296 §3.13).</summary>
    public const int MaxSelectors = 255;

    /// <summary>Most pieces into which <see cref="Covers"/> cuts a set, against lists that were made to be costly.</summary>
    private const int MaxPieces = 4096;

    /// <summary>
    /// Narrows what a peer offers to what it is granted (RFC 7296 §2.9): all that both have. So the packet that made the peer ask, which the
    /// first selectors may describe, is in it if it may be at all.
    /// </summary>
    /// <param name="offered">The peer's, the most specific first.</param>
    /// <param name="granted">The configuration's.</param>
    /// <returns>
    /// No selector lies within another. Empty: TS_UNACCEPTABLE. Of more than 255 selectors the last are left out, which narrows further.
    /// </returns>
    public static IReadOnlyList<TrafficSelector> Intersect(IReadOnlyList<TrafficSelector> offered, IReadOnlyList<TrafficSelector> granted)
    {
        List<TrafficSelector> result = [];
        foreach (TrafficSelector offer in offered)
        {
            foreach (TrafficSelector grant in granted)
            {
                if (offer.Intersect(grant) is not { } common || result.Exists(other => other.Covers(common)))
                    continue;
                result.RemoveAll(common.Covers);
                if (result.Count < MaxSelectors)
                    result.Add(common);
            }
        }
        return result;
    }

    /// <summary>Whether both lists take the same packets.</summary>
    public static bool AreEqual(IReadOnlyList<TrafficSelector> left, IReadOnlyList<TrafficSelector> right) => Covers(left, right) && Covers(right, left);

    /// <summary>Whether each packet that one list takes is taken by another, be it by several of its selectors together.</summary>
    /// <param name="whole">The greater list.</param>
    /// <param name="part">The smaller one.</param>
    /// <returns>
    /// False also where nothing but all protocols one by one would cover "any protocol", and where the lists are cut into too many pieces.
    /// </returns>
    public static bool Covers(IReadOnlyList<TrafficSelector> whole, IReadOnlyList<TrafficSelector> part)
    {
        List<TrafficSelector> uncovered = [.. part], next = [];
        foreach (TrafficSelector selector in whole)
        {
            next.Clear();
            foreach (TrafficSelector piece in uncovered)
                Subtract(piece, selector, next);
            if (next.Count > MaxPieces)
                return false;
            (uncovered, next) = (next, uncovered);
        }
        return uncovered.Count == 0;
    }

    /// <summary>Adds to a list what is left of a selector without another: at most two ranges of addresses, and two of ports between them.</summary>
    private static void Subtract(TrafficSelector from, TrafficSelector other, List<TrafficSelector> rest)
    {
        if (from.Intersect(other) is not { } common || (from.Protocol == 0 && other.Protocol != 0))
        {
            rest.Add(from);
            return;
        }
        if (from.FirstValue < common.FirstValue)
            rest.Add(from.WithAddresses(from.FirstValue, common.FirstValue - 1));
        if (common.LastValue < from.LastValue)
            rest.Add(from.WithAddresses(common.LastValue + 1, from.LastValue));
        TrafficSelector middle = from.WithAddresses(common.FirstValue, common.LastValue);
        if (from.FirstPort < common.FirstPort)
            rest.Add(middle.WithPorts(from.FirstPort, (ushort)(common.FirstPort - 1)));
        if (common.LastPort < from.LastPort)
            rest.Add(middle.WithPorts((ushort)(common.LastPort + 1), from.LastPort));
    }
}
