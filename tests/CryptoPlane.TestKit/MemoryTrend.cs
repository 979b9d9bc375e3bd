using System.Globalization;
using Xunit;

namespace CryptoPlane.TestKit;

/// <summary>Samples of the process's memory, and whether the later half of them is above the earlier.</summary>
public sealed class MemoryTrend
{
    /// <summary>What the median may grow by from one half to the other: some of it, and a fixed part for the runtime's own caches.</summary>
    private const double GrowthShare = 0.05;
    private const long ManagedAllowance = 4 << 20, NativeAllowance = 12 << 20;

    private readonly List<(long Managed, long Native)> _samples = [];

    /// <summary>The first sample.</summary>
    public (long Managed, long Native) First => _samples[0];

    /// <summary>The last sample.</summary>
    public (long Managed, long Native) Last => _samples[^1];

    /// <summary>Live managed bytes after a full collection, and resident bytes that are not the managed heap's.</summary>
    public void Sample()
    {
        long managed = GC.GetTotalMemory(forceFullCollection: true);
        string resident = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        long bytes = long.Parse(resident.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        _samples.Add((managed, bytes - GC.GetGCMemoryInfo().TotalCommittedBytes));
    }

    /// <summary>Leaves the first third out, in which pools and buffers are touched for the first time, and compares the halves of the rest.</summary>
    public void AssertFlat()
    {
        (long Managed, long Native)[] warm = [.. _samples.Skip(_samples.Count / 3)];
        (long Managed, long Native)[] first = warm[..(warm.Length / 2)], second = warm[(warm.Length / 2)..];
        AssertFlat("managed", first.Select(sample => sample.Managed), second.Select(sample => sample.Managed), ManagedAllowance);
        AssertFlat("native", first.Select(sample => sample.Native), second.Select(sample => sample.Native), NativeAllowance);
    }

    private static void AssertFlat(string kind, IEnumerable<long> first, IEnumerable<long> second, long allowance)
    {
        long before = Median(first), after = Median(second);
        Assert.True(after <= (before * (1 + GrowthShare)) + allowance, $"{kind} memory grew from {before >> 10} KiB in the first half to {after >> 10} KiB in the second");
    }

    private static long Median(IEnumerable<long> values)
    {
        long[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
