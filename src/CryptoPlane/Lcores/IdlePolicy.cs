namespace CryptoPlane.Lcores;

/// <summary>What an lcore does when a poll found no work.</summary>
public enum IdlePolicy
{
    /// <summary>Polls on: the lowest latency, a whole CPU at all times.</summary>
    Busy,

    /// <summary>
    /// Sleeps in the kernel, and under load lets work gather for a moment (<see cref="LcoreOptions.GatherNanoseconds"/>), as network
    /// cards moderate their interrupts: a few larger bursts cost much less than many small ones. No CPU when nothing happens.
    /// </summary>
    Adaptive,

    /// <summary>Sleeps in the kernel and is woken by whatever comes first: the lowest latency that leaves the CPU to others.</summary>
    Blocking,
}
