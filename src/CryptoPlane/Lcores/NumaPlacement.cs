namespace CryptoPlane.Lcores;

/// <summary>Something that an lcore works with and that has a place of its own: a port, a pool of packets, a crypto device.</summary>
/// <param name="Name">What it is to an operator, such as "port net_tap0".</param>
/// <param name="Node">Its NUMA node, or -1 where it has none, as software devices.</param>
public readonly record struct NumaResource(string Name, int Node);

/// <summary>Where an lcore runs, and what it works with.</summary>
/// <param name="Lcore">The lcore's number.</param>
/// <param name="Cpu">Its CPU; null where the kernel chooses among those of the process.</param>
/// <param name="Resources">Its ports, pools and devices.</param>
public sealed record LcorePlace(int Lcore, int? Cpu, IReadOnlyList<NumaResource> Resources);

/// <summary>Finds lcores whose packets cross between NUMA nodes, which costs bandwidth and about 100 ns per cache miss.</summary>
public static class NumaPlacement
{
    /// <summary>Compares the nodes of lcores with those of what they work with. A pure function.</summary>
    /// <param name="topology">The machine.</param>
    /// <param name="allowed">The CPUs that the process may use: what is proposed is one of these.</param>
    /// <param name="lcores">The lcores.</param>
    /// <returns>A sentence for everything that is not where its lcore is, with what to do; empty where all is well.</returns>
    public static IReadOnlyList<string> Check(NumaTopology topology, CpuSet allowed, IReadOnlyList<LcorePlace> lcores)
    {
        ArgumentNullException.ThrowIfNull(topology);
        ArgumentNullException.ThrowIfNull(lcores);
        var warnings = new List<string>();
        if (topology.Nodes.Count < 2)
            return warnings;
        foreach (LcorePlace lcore in lcores)
        {
            NumaResource[] placed = [.. lcore.Resources.Where(resource => resource.Node >= 0)];
            int node = lcore.Cpu is int cpu ? topology.NodeOf(cpu) : topology.NodeOf(allowed);
            if (node >= 0)
                warnings.AddRange(placed.Where(resource => resource.Node != node).Select(resource => Distant(topology, allowed, lcore, node, resource)));
            else if (lcore.Cpu == null && placed.Length != 0)
                warnings.Add($"Lcore {lcore.Lcore} may run on CPUs of several NUMA nodes ({allowed}), and {placed[0].Name} is on node {placed[0].Node}: {Advice(topology, allowed, placed[0].Node)}.");
        }
        return warnings;
    }

    private static string Distant(NumaTopology topology, CpuSet allowed, LcorePlace lcore, int node, NumaResource resource)
    {
        string where = lcore.Cpu is int cpu ? $"CPU {cpu}" : $"CPUs {allowed}";
        return $"Lcore {lcore.Lcore} runs on {where} of NUMA node {node}, and {resource.Name} is on node {resource.Node}, so every packet crosses between them: {Advice(topology, allowed, resource.Node)}.";
    }

    private static string Advice(NumaTopology topology, CpuSet allowed, int node)
    {
        CpuSet near = allowed.Intersect(topology.CpusOf(node));
        return near.Count != 0
            ? $"give the lcore one of the CPUs {near}"
            : $"this process may use no CPU of node {node}; start it on {(topology.CpusOf(node) is { Count: > 0 } there ? $"CPUs {there}" : "a node with CPUs")}, in Kubernetes with topologyManagerPolicy single-numa-node";
    }
}
