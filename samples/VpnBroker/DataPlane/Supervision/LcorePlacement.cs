using CryptoPlane.Lcores;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;

namespace VpnBroker.DataPlane.Supervision;

/// <summary>Gives the lcores CPUs of the process's cpuset and memory near them, and warns of what is far from its lcore.</summary>
internal static partial class LcorePlacement
{
    /// <summary>The CPUs of the lcores, once and for all.</summary>
    /// <returns>The configuration with the CPUs that were chosen for lcores without one; -1 for those that run on any.</returns>
    /// <exception cref="InvalidOperationException">The configuration names a CPU that this process may not use.</exception>
    public static LcoreConfig Place(LcoreConfig config, ILogger logger)
    {
        CpuSet allowed = CpuSet.OfProcess();
        IReadOnlyList<int?> cpus = LcoreCpus.Choose([.. config.Cpus.Select(cpu => cpu < 0 ? null : (int?)cpu)], allowed, CpuSet.Online());
        // Lcores that never sleep leave nothing to log-ins and to the garbage collector, except what the kernel takes from them by force.
        if (config.Idle == IdleMode.Busy && cpus.OfType<int>().Distinct().Count() == allowed.Count)
            LogNoCpuLeft(logger, allowed);
        return config with { Cpus = [.. cpus.Select(cpu => cpu ?? -1)] };
    }

    /// <summary>Makes what belongs to an lcore in memory of its CPU's NUMA node.</summary>
    public static T Near<T>(int cpu, Func<T> make) => cpu < 0 ? make() : CpuSet.Of(cpu).RunWithin(make);

    /// <summary>Warns of every port, pool and device that is on another NUMA node than the lcore that uses it.</summary>
    public static void WarnOfDistance(IReadOnlyList<LcorePlace> lcores, ILogger logger)
    {
        foreach (string warning in NumaPlacement.Check(NumaTopology.Read(), CpuSet.OfProcess(), lcores))
            LogDistant(logger, warning);
    }

    [LoggerMessage(35, LogLevel.Warning, "Busy lcores have all CPUs of this process ({Cpus}), and control threads none: give the process one more, or use idle: adaptive")]
    private static partial void LogNoCpuLeft(ILogger logger, CpuSet cpus);

    [LoggerMessage(36, LogLevel.Warning, "{Warning}")]
    private static partial void LogDistant(ILogger logger, string warning);
}
