namespace VpnBroker.Configuration;

/// <summary>The data-plane threads.</summary>
public sealed record LcoreConfig
{
    /// <summary>The CPU of each lcore, in the order of their indices; -1 leaves a thread unpinned.</summary>
    public IReadOnlyList<int> Cpus { get; init; } = [-1];

    /// <summary>What an lcore does when there is nothing to do.</summary>
    public IdleMode Idle { get; init; } = IdleMode.Adaptive;

    /// <summary>How many lcores there are: 1 to 64.</summary>
    public int Count => Cpus.Count;
}

/// <summary>What an lcore does when there is nothing to do.</summary>
public enum IdleMode
{
    /// <summary>Polls on: least latency, a whole CPU each.</summary>
    Busy,

    /// <summary>Polls a little, then sleeps until an event.</summary>
    Adaptive,

    /// <summary>Sleeps at once.</summary>
    Blocking,
}
