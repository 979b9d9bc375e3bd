using System.Diagnostics.CodeAnalysis;

namespace CryptoPlane.Ike.Session;

/// <summary>The child SAs of one IKE SA, in the order in which they were made. There are few, so a list is looked through.</summary>
internal sealed class ChildTable
{
    private readonly List<ChildSa> _children = [];

    public int Count => _children.Count;

    /// <summary>A copy: what is done to one of them may change the table.</summary>
    public ChildSa[] Snapshot() => [.. _children];

    public void Add(ChildSa child) => _children.Add(child);

    public void Remove(ChildSa child) => _children.Remove(child);

    /// <summary>By the peer's inbound SPI, which is how the peer names it.</summary>
    public bool TryFindByOutboundSpi(uint spi, [NotNullWhen(true)] out ChildSa? child)
    {
        child = _children.Find(c => c.OutboundSpi == spi && c.State is (ChildSaState.Installed or ChildSaState.Active or ChildSaState.Deleting));
        return child is not null;
    }

    /// <summary>Whether there is one for this part of the configuration.</summary>
    public bool Has(IkeChild configuration, int? resource) => Find(configuration, resource) is not null;

    /// <summary>The newest one for this part of the configuration.</summary>
    public ChildSa? Find(IkeChild configuration, int? resource) =>
        _children.FindLast(c => c.Configuration == configuration && c.Resource == resource && c.State is (ChildSaState.Installed or ChildSaState.Active));

    /// <summary>The next thing that time brings to any of them.</summary>
    public long NextTimeout
    {
        get
        {
            long next = long.MaxValue;
            foreach (ChildSa child in _children)
                next = Math.Min(next, child.NextTimeout);
            return next;
        }
    }
}
