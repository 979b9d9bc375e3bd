using CryptoPlane.Buffers;

namespace CryptoPlane.Flows;

/// <summary>How large a <see cref="FlowTable{TKey, TState}"/> begins, how large it may become, and what it does then.</summary>
public sealed record FlowTableOptions
{
    /// <summary>Most flows of a table.</summary>
    public const int Limit = 1 << 28;

    /// <summary>Flows that there is memory for at first. Equal to <see cref="MaximumFlows"/>: the table never asks again.</summary>
    public int InitialCapacity { get; init; } = 1024;

    /// <summary>Most flows, 1 to 2^28: the bound of its memory.</summary>
    public required int MaximumFlows { get; init; }

    /// <summary>What becomes of a new flow when there are <see cref="MaximumFlows"/>.</summary>
    public WhenFull WhenFull { get; init; } = WhenFull.Refuse;

    /// <summary>Where memory comes from, in slabs of at most 2 MiB, when the table grows; null for the kernel's.</summary>
    public IPacketMemory? Memory { get; init; }

    /// <summary>The secret of the hash; null for one of its own. Tables that share it put a key under the same hash.</summary>
    public FlowHashSeed? Seed { get; init; }
}
