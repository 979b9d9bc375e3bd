namespace CryptoPlane.IO.Ethernet;

/// <summary>What one lcore's port learned about a neighbour, for the other lcores' ports on the same link: answers come to one queue only.</summary>
internal struct NeighbourUpdate
{
    public LinkAddress Address;

    public ulong Mac;

    /// <summary>Whether the neighbour answered us; else it spoke of itself.</summary>
    public bool IsConfirmed;
}
