namespace CryptoPlane.Lcores;

/// <summary>How an lcore runs. Immutable.</summary>
public sealed record LcoreOptions
{
    /// <summary>The lcore's number, from 0: the name of its thread ("lcore-3"), and what SPIs and address prefixes carry.</summary>
    public int Index { get; init; }

    /// <summary>
    /// The CPU to run on; null lets the kernel choose among those of the process. Lcores may share a CPU (then none should be
    /// <see cref="IdlePolicy.Busy"/>).
    /// </summary>
    public int? Cpu { get; init; }

    /// <summary>What to do when there is no work.</summary>
    public IdlePolicy Idle { get; init; } = IdlePolicy.Adaptive;

    /// <summary>
    /// For <see cref="IdlePolicy.Adaptive"/>: how long work may gather before it is looked at, while turns follow one another closer
    /// than twice this. It bounds the latency that the policy adds; below a second.
    /// </summary>
    public long GatherNanoseconds { get; init; } = 100_000;

    /// <summary>
    /// Called on the lcore's thread, last of all, when an exception stopped it: tell the owner, who decides what becomes of the process.
    /// </summary>
    public Action<Lcore, Exception>? OnFailure { get; init; }
}
