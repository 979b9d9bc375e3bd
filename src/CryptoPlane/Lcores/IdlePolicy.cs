namespace CryptoPlane.Lcores;

/// <summary>What an lcore does when a poll found no work.</summary>
public enum IdlePolicy
{
    /// <summary>Polls on: the lowest latency, a whole CPU at all times.</summary>
    Busy,

    /// <summary>
    /// Sleeps in the kernel, except when sleeps turn out to be shorter than a wake-up costs: then it polls for as long first
    /// (<see cref="LcoreOptions.AdaptiveSpinNanoseconds"/>). No CPU when nothing happens.
    /// </summary>
    Adaptive,

    /// <summary>Sleeps in the kernel at once.</summary>
    Blocking,
}
