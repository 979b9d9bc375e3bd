namespace CryptoPlane.Ike.Session;

/// <summary>A child SA that a connection shall have.</summary>
/// <param name="Configuration">The child of the configuration.</param>
/// <param name="Resource">The lcore that alone uses it; null: any.</param>
/// <param name="WithResourceInfo">Whether the peer is told that it is one of several for the same traffic (RFC 9611).</param>
/// <param name="LocalSelectors">Our side of the traffic: all of the configuration's, or the lcore's share.</param>
internal sealed record ChildRequest(IkeChild Configuration, int? Resource, bool WithResourceInfo, IReadOnlyList<TrafficSelector> LocalSelectors)
{
    /// <summary>
    /// The one that any lcore may use: with a peer that speaks RFC 9611 for what has no SA of its own yet, with others all there is.
    /// </summary>
    public static ChildRequest Common(IkeConnection connection, IkeChild child) => new(child, null, connection.Resources > 0, child.LocalSelectors);

    /// <summary>Those of the lcores.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="child">Its child.</param>
    /// <param name="common">The common one, which is there: by it the peer has shown whether it speaks RFC 9611.</param>
    public static IEnumerable<ChildRequest> PerResource(IkeConnection connection, IkeChild child, ChildSa common)
    {
        for (int resource = 0; resource < connection.Resources; resource++)
        {
            if (common.HasResourceInfo)
                yield return new ChildRequest(child, resource, true, child.LocalSelectors);
            else if (resource < child.ResourceSelectors.Count)
                yield return new ChildRequest(child, resource, false, child.ResourceSelectors[resource]);
        }
    }
}
