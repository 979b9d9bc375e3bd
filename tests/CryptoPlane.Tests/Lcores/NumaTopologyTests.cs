using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Lcores;

public sealed class NumaTopologyTests
{
    [Fact]
    public void Nodes_have_the_cpus_that_the_kernel_lists_and_numbers_may_have_gaps()
    {
        NumaTopology machine = FakeNodes.Topology((0, "0-3,8-11"), (2, "4-7,12-15"), (3, ""));
        Assert.Equal([0, 2, 3], machine.Nodes);
        Assert.Equal(FakeNodes.Cpus("4-7,12-15"), machine.CpusOf(2));
        Assert.Equal(0, machine.CpusOf(3).Count);
        Assert.Equal(0, machine.CpusOf(1).Count);
        Assert.Equal(0, machine.NodeOf(9));
        Assert.Equal(2, machine.NodeOf(15));
        Assert.Equal(-1, machine.NodeOf(16));
        Assert.Equal(2, machine.NodeOf(FakeNodes.Cpus("5,12")));
        Assert.Equal(-1, machine.NodeOf(FakeNodes.Cpus("3-4")));
        Assert.Equal(-1, machine.NodeOf(default(CpuSet)));
    }

    [Fact]
    public void A_kernel_without_nodes_and_unreadable_entries_are_nothing()
    {
        using var directory = new TemporaryDirectory();
        Assert.Empty(NumaTopology.Read(directory.File("missing")).Nodes);
        Directory.CreateDirectory(directory.File("nodes"));
        Directory.CreateDirectory(directory.File("node-1"));
        Directory.CreateDirectory(directory.File("node1"));
        File.WriteAllText(directory.File("node7"), "a file");
        NumaTopology machine = NumaTopology.Read(directory.Path);
        Assert.Equal([1], machine.Nodes);
        Assert.Equal(-1, machine.NodeOf(0));
    }

    [Fact]
    public void This_machine_has_every_cpu_of_this_process_on_a_node()
    {
        NumaTopology machine = NumaTopology.Read();
        Requirement.That(machine.Nodes.Count > 0, "this kernel tells of no NUMA nodes");
        CpuSet allowed = CpuSet.OfProcess();
        Assert.All(Enumerable.Range(0, allowed.Count), index => Assert.True(machine.NodeOf(allowed[index]) >= 0));
    }
}
