using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Lcores;

/// <summary>Trees like /sys/devices/system/node.</summary>
internal static class FakeNodes
{
    /// <summary>A machine whose nodes have these CPUs.</summary>
    public static NumaTopology Topology(params (int Node, string Cpus)[] nodes)
    {
        using var directory = new TemporaryDirectory();
        foreach ((int node, string cpus) in nodes)
        {
            Directory.CreateDirectory(directory.File($"node{node}"));
            File.WriteAllText(Path.Combine(directory.File($"node{node}"), "cpulist"), cpus + "\n");
        }
        return NumaTopology.Read(directory.Path);
    }

    public static CpuSet Cpus(string list) => CpuSet.TryParse(list, out CpuSet set) ? set : throw new ArgumentException(list);
}
