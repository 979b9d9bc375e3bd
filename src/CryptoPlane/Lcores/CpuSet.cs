using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>A set of CPU numbers, 0 to 1023, as the kernel's affinity calls take it. A value; control threads only.</summary>
public readonly unsafe struct CpuSet : IEquatable<CpuSet>
{
    /// <summary>CPUs that a set can name.</summary>
    public const int MaximumCpus = 1024;

    private const int Words = MaximumCpus / 64;
    private readonly Mask _mask;

    private CpuSet(Mask mask) => _mask = mask;

    /// <summary>The CPUs that the calling thread may run on: those of the process's cpuset and of taskset, unless the thread was pinned.</summary>
    /// <exception cref="InvalidOperationException">The kernel has more than 1,024 CPUs.</exception>
    public static CpuSet OfCurrentThread() => OfThread(0);

    /// <summary>The CPUs that this process's main thread may run on, whatever thread asks.</summary>
    /// <exception cref="InvalidOperationException">The kernel has more than 1,024 CPUs.</exception>
    public static CpuSet OfProcess() => OfThread(Environment.ProcessId);

    /// <summary>The CPUs that the machine has and that are switched on, whoever may use them; empty where the kernel does not tell.</summary>
    /// <param name="file">A file like the kernel's.</param>
    public static CpuSet Online(string file = "/sys/devices/system/cpu/online")
    {
        _ = TryParse(File.Exists(file) ? File.ReadAllText(file) : null, out CpuSet set);
        return set;
    }

    /// <summary>A set of one.</summary>
    public static CpuSet Of(int cpu)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(cpu);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(cpu, MaximumCpus);
        Mask mask = default;
        mask.Bits[cpu / 64] |= 1UL << (cpu % 64);
        return new CpuSet(mask);
    }

    /// <summary>Reads a list like "0-3,8".</summary>
    /// <returns>False when the text is not such a list, is empty or names a CPU above 1023.</returns>
    public static bool TryParse(string? text, out CpuSet set)
    {
        Mask mask = default;
        set = default;
        if (string.IsNullOrWhiteSpace(text))
            return false;
        foreach (string part in text.Split(','))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2
                || !int.TryParse(ends[0], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int first)
                || !int.TryParse(ends[^1], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int last)
                || last < first || last >= MaximumCpus)
                return false;
            for (int cpu = first; cpu <= last; cpu++)
                mask.Bits[cpu / 64] |= 1UL << (cpu % 64);
        }
        set = new CpuSet(mask);
        return true;
    }

    /// <summary>CPUs in the set.</summary>
    public int Count
    {
        get
        {
            int count = 0;
            for (int word = 0; word < Words; word++)
                count += BitOperations.PopCount(_mask.Bits[word]);
            return count;
        }
    }

    /// <summary>The number of the <paramref name="index"/>-th CPU of the set, in ascending order.</summary>
    public int this[int index]
    {
        get
        {
            for (int cpu = 0, seen = 0; cpu < MaximumCpus; cpu++)
            {
                if (Contains(cpu) && seen++ == index)
                    return cpu;
            }
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The set has {Count} CPUs.");
        }
    }

    /// <summary>Whether a CPU is in the set.</summary>
    public bool Contains(int cpu) => (uint)cpu < MaximumCpus && (_mask.Bits[cpu / 64] & (1UL << (cpu % 64))) != 0;

    /// <summary>The CPUs that are in both sets.</summary>
    public CpuSet Intersect(CpuSet other)
    {
        Mask mask = default;
        for (int word = 0; word < Words; word++)
            mask.Bits[word] = _mask.Bits[word] & other._mask.Bits[word];
        return new CpuSet(mask);
    }

    /// <summary>
    /// Runs a delegate on this thread while it is bound to the set. Memory that is touched first in there lies on the NUMA node of these
    /// CPUs: that needs no privilege, whereas mbind and set_mempolicy are forbidden in most containers.
    /// </summary>
    /// <exception cref="InvalidOperationException">As <see cref="ApplyToCurrentThread"/>.</exception>
    public T RunWithin<T>(Func<T> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        CpuSet before = OfCurrentThread();
        ApplyToCurrentThread();
        try
        {
            return make();
        }
        finally
        {
            before.ApplyToCurrentThread();
        }
    }

    /// <summary>Binds the calling thread to the set.</summary>
    /// <exception cref="InvalidOperationException">The kernel refused: no CPU of the set is one that the process may use.</exception>
    public void ApplyToCurrentThread()
    {
        Mask mask = _mask;
        if (LcoreInterop.SetAffinity(0, (nuint)sizeof(Mask), &mask) != 0)
            throw new InvalidOperationException(
                $"This thread could not be bound to CPU {this} (errno {Marshal.GetLastPInvokeError()}): choose CPUs that the process may use ({OfProcess()}).");
    }

    /// <summary>The set as a list like "0-3,8".</summary>
    public override string ToString()
    {
        var parts = new List<string>();
        for (int cpu = 0; cpu < MaximumCpus; cpu++)
        {
            if (!Contains(cpu))
                continue;
            int first = cpu;
            while (Contains(cpu + 1))
                cpu++;
            parts.Add(first == cpu ? first.ToString(CultureInfo.InvariantCulture) : string.Create(CultureInfo.InvariantCulture, $"{first}-{cpu}"));
        }
        return string.Join(',', parts);
    }

    /// <inheritdoc/>
    public bool Equals(CpuSet other)
    {
        for (int word = 0; word < Words; word++)
        {
            if (_mask.Bits[word] != other._mask.Bits[word])
                return false;
        }
        return true;
    }

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CpuSet other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    /// <summary>Whether two sets hold the same CPUs.</summary>
    public static bool operator ==(CpuSet left, CpuSet right) => left.Equals(right);

    /// <summary>Whether two sets differ.</summary>
    public static bool operator !=(CpuSet left, CpuSet right) => !left.Equals(right);

    private static CpuSet OfThread(int thread)
    {
        Mask mask = default;
        if (LcoreInterop.GetAffinity(thread, (nuint)sizeof(Mask), &mask) < 0)
            throw new InvalidOperationException($"sched_getaffinity failed (errno {Marshal.GetLastPInvokeError()}): more than {MaximumCpus} CPUs are not supported.");
        return new CpuSet(mask);
    }

    private struct Mask
    {
        public fixed ulong Bits[Words];
    }
}
