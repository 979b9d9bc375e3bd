namespace CryptoPlane.Lcores;

/// <summary>Which CPUs lcores run on: those that were named, or else CPUs of the process's cpuset.</summary>
public static class LcoreCpus
{
    /// <summary>Gives lcores their CPUs. A pure function.</summary>
    /// <param name="named">For each lcore the CPU that the configuration names, or null.</param>
    /// <param name="allowed">The CPUs that the process may use (<see cref="CpuSet.OfProcess"/>).</param>
    /// <param name="online">The CPUs that the machine has (<see cref="CpuSet.Online"/>).</param>
    /// <returns>
    /// For each lcore its CPU. Lcores without a named one are bound to a CPU each, the highest first, where somebody gave the process some
    /// of the machine's CPUs (a cgroup's cpuset, the kubelet's CPU manager, taskset) and they suffice; the lowest are left to control
    /// threads. Otherwise null: the kernel moves them among all CPUs that the process may use.
    /// </returns>
    /// <exception cref="InvalidOperationException">A named CPU is not one of the process's; the message says which are.</exception>
    public static IReadOnlyList<int?> Choose(IReadOnlyList<int?> named, CpuSet allowed, CpuSet online)
    {
        ArgumentNullException.ThrowIfNull(named);
        int[] taken = [.. named.OfType<int>()];
        int[] outside = [.. taken.Where(cpu => !allowed.Contains(cpu))];
        if (outside.Length != 0)
        {
            throw new InvalidOperationException(
                $"Lcores are to run on CPU {string.Join(", ", outside)}, and this process may use only {allowed} (its cgroup's cpuset, the kubelet's CPU manager or taskset): "
                + "name CPUs of these, or give a number of lcores, which then take theirs from there.");
        }
        int unnamed = named.Count - taken.Length;
        bool hasOwnCpus = allowed != online && allowed.Intersect(online) == allowed;
        if (unnamed == 0 || !hasOwnCpus || allowed.Count - taken.Distinct().Count() < unnamed)
            return named;
        var free = new Stack<int>(Enumerable.Range(0, allowed.Count).Select(index => allowed[index]).Except(taken));
        return [.. named.Select(cpu => cpu ?? free.Pop())];
    }
}
