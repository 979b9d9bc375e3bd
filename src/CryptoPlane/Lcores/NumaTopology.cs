using System.Globalization;

namespace CryptoPlane.Lcores;

/// <summary>The machine's NUMA nodes and their CPUs, as the kernel tells them. Immutable; made on control threads.</summary>
public sealed class NumaTopology
{
    /// <summary>Where the kernel tells of its nodes.</summary>
    public const string SystemDirectory = "/sys/devices/system/node";

    private readonly SortedDictionary<int, CpuSet> _cpus;

    private NumaTopology(SortedDictionary<int, CpuSet> cpus) => _cpus = cpus;

    /// <summary>Reads the nodes; what is missing or unreadable is a node less, as in a kernel without NUMA.</summary>
    /// <param name="directory">A tree like <see cref="SystemDirectory"/>.</param>
    public static NumaTopology Read(string directory = SystemDirectory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        var cpus = new SortedDictionary<int, CpuSet>();
        if (!Directory.Exists(directory))
            return new NumaTopology(cpus);
        foreach (string path in Directory.GetDirectories(directory, "node*"))
        {
            if (!int.TryParse(Path.GetFileName(path)["node".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int node))
                continue;
            // A node that has memory alone has an empty list.
            string list = Path.Combine(path, "cpulist");
            _ = CpuSet.TryParse(File.Exists(list) ? File.ReadAllText(list) : null, out CpuSet set);
            cpus.Add(node, set);
        }
        return new NumaTopology(cpus);
    }

    /// <summary>The nodes' numbers in ascending order; they may have gaps.</summary>
    public IReadOnlyCollection<int> Nodes => _cpus.Keys;

    /// <summary>The CPUs of a node; none for a node of memory alone or one that is not there.</summary>
    public CpuSet CpusOf(int node) => _cpus.GetValueOrDefault(node);

    /// <summary>The node of a CPU, or -1 where the kernel tells none.</summary>
    public int NodeOf(int cpu)
    {
        foreach ((int node, CpuSet cpus) in _cpus)
        {
            if (cpus.Contains(cpu))
                return node;
        }
        return -1;
    }

    /// <summary>The node that all CPUs of a set are on, or -1 where they are on several or on none that is known.</summary>
    public int NodeOf(CpuSet cpus)
    {
        foreach ((int node, CpuSet its) in _cpus)
        {
            if (cpus.Count != 0 && cpus.Intersect(its) == cpus)
                return node;
        }
        return -1;
    }
}
