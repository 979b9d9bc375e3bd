using CryptoPlane.Flows.Sessions;

namespace CryptoPlane.Ipfix.Export;

/// <summary>How much some flow records tell of, so that it is known what was lost with them.</summary>
/// <param name="Records">Flow records.</param>
/// <param name="Packets">Packets that they tell of, both ways.</param>
/// <param name="Octets">Bytes that they tell of, both ways.</param>
public readonly record struct FlowTotals(int Records, long Packets, long Octets)
{
    /// <summary>With one record more.</summary>
    public FlowTotals With(in FlowRecord flow) => new(
        Records + 1,
        Packets + (long)(flow.Forward.Packets + flow.Reverse.Packets),
        Octets + (long)(flow.Forward.Octets + flow.Reverse.Octets));
}
