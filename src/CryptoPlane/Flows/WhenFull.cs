namespace CryptoPlane.Flows;

/// <summary>What becomes of a new flow when the table has its most.</summary>
public enum WhenFull
{
    /// <summary>It is refused: index -1, and <see cref="FlowTable{TKey, TState}.Refused"/> counts it.</summary>
    Refuse,

    /// <summary>
    /// The flow that was not found for longest goes: of the next eight under a hand that walks around the table, so that it costs the
    /// same at any size. Flows that the running call found or added stay.
    /// </summary>
    EvictOldestIdle,
}
