using System.Globalization;

namespace CryptoPlane.Dpdk;

/// <summary>What huge pages this process may still take, to choose <see cref="EalOptions.Memory"/> by: the EAL has one try.</summary>
/// <param name="FreeMegabytes">Of all sizes together, in megabytes.</param>
/// <param name="LimitedByCgroup">Whether the machine has more, and the limit of a cgroup (a container's) forbids them.</param>
/// <remarks>Control threads: it reads files.</remarks>
public readonly record struct HugePages(long FreeMegabytes, bool LimitedByCgroup = false)
{
    /// <summary>Reads what the kernel tells.</summary>
    public static HugePages Read() => Read("/sys/kernel/mm/hugepages", OwnCgroups("/sys/fs/cgroup", File.ReadAllLines("/proc/self/cgroup")));

    /// <summary>Reads trees like the kernel's.</summary>
    /// <param name="directory">A tree like <c>/sys/kernel/mm/hugepages</c>.</param>
    /// <param name="cgroups">Directories of cgroups (version 2) whose limits count.</param>
    internal static HugePages Read(string directory, IReadOnlyList<string> cgroups)
    {
        if (!Directory.Exists(directory))
            return default;
        long free = 0;
        bool limited = false;
        foreach (string size in Directory.GetDirectories(directory, "hugepages-*kB"))
        {
            if (!long.TryParse(Path.GetFileName(size)["hugepages-".Length..^"kB".Length], CultureInfo.InvariantCulture, out long page))
                continue;
            long ofSize = page * (ReadNumber(Path.Combine(size, "free_hugepages")) ?? 0);
            // Pages are charged when they are touched, or already when they are mapped.
            foreach (string limit in cgroups.SelectMany(group => new[] { $"{group}/hugetlb.{NameOf(page)}", $"{group}/hugetlb.{NameOf(page)}.rsvd" }))
            {
                if (ReadNumber(limit + ".max") is not long most || (most - (ReadNumber(limit + ".current") ?? 0)) / 1024 is var left && left >= ofSize)
                    continue;
                ofSize = Math.Max(left, 0);
                limited = true;
            }
            free += ofSize;
        }
        return new HugePages(free / 1024, limited);
    }

    /// <summary>The process's cgroup (version 2) and those above it, as far as the mount shows them.</summary>
    /// <param name="mount">Where the cgroups are mounted; the root of a container's own is its cgroup.</param>
    /// <param name="memberships">The lines of <c>/proc/self/cgroup</c>.</param>
    internal static IReadOnlyList<string> OwnCgroups(string mount, IEnumerable<string> memberships)
    {
        string? own = memberships.FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?["0::".Length..];
        var cgroups = new List<string>();
        for (string path = own ?? ""; path.Length > 1; path = path[..path.LastIndexOf('/')])
            cgroups.Add(mount + path);
        if (own != null)
            cgroups.Add(mount);
        return cgroups;
    }

    /// <summary>A page size as the kernel names it in cgroups: 64KB, 2MB, 1GB.</summary>
    private static string NameOf(long kilobytes) => kilobytes switch
    {
        >= 1 << 20 => $"{kilobytes >> 20}GB",
        >= 1 << 10 => $"{kilobytes >> 10}MB",
        _ => $"{kilobytes}KB",
    };

    private static long? ReadNumber(string file) =>
        File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out long number) ? number : null;
}
