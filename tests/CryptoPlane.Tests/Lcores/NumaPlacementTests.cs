using CryptoPlane.Lcores;

namespace CryptoPlane.Tests.Lcores;

public sealed class NumaPlacementTests
{
    private static readonly NumaTopology s_two = FakeNodes.Topology((0, "0-3"), (1, "4-7"));
    private static readonly CpuSet s_all = FakeNodes.Cpus("0-7");

    [Fact]
    public void What_is_on_the_lcores_node_or_has_none_is_well()
    {
        LcorePlace[] lcores =
        [
            new(0, 1, [new("port net0", 0), new("its packets", 0), new("crypto_aesni_gcm0", -1)]),
            new(1, 6, [new("port net1", 1)]),
            new(2, null, [new("port net_tap0", -1)]),
        ];
        Assert.Empty(NumaPlacement.Check(s_two, s_all, lcores));
    }

    [Fact]
    public void Each_thing_on_another_node_is_a_warning_that_names_cpus_near_it()
    {
        IReadOnlyList<string> warnings = NumaPlacement.Check(s_two, FakeNodes.Cpus("1-5"), [new(3, 2, [new("port 0000:3b:00.0", 1), new("its packets", 0), new("crypto device q", 1)])]);
        Assert.Equal(2, warnings.Count);
        Assert.Equal("Lcore 3 runs on CPU 2 of NUMA node 0, and port 0000:3b:00.0 is on node 1, so every packet crosses between them: give the lcore one of the CPUs 4-5.", warnings[0]);
        Assert.Contains("crypto device q is on node 1", warnings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Where_the_process_has_no_cpu_near_the_device_the_orchestrator_must_help()
    {
        string warning = Assert.Single(NumaPlacement.Check(s_two, FakeNodes.Cpus("0-1"), [new(0, 0, [new("port net0", 1)])]));
        Assert.Contains("may use no CPU of node 1; start it on CPUs 4-7", warning, StringComparison.Ordinal);
        Assert.Contains("single-numa-node", warning, StringComparison.Ordinal);
    }

    [Fact]
    public void An_lcore_that_is_not_bound_counts_by_the_cpus_of_its_process()
    {
        LcorePlace[] lcores = [new(0, null, [new("port net0", 1)])];
        Assert.Empty(NumaPlacement.Check(s_two, FakeNodes.Cpus("4-5"), lcores));
        Assert.Contains("runs on CPUs 0-1 of NUMA node 0", Assert.Single(NumaPlacement.Check(s_two, FakeNodes.Cpus("0-1"), lcores)), StringComparison.Ordinal);
        Assert.Contains("CPUs of several NUMA nodes (0-7)", Assert.Single(NumaPlacement.Check(s_two, s_all, lcores)), StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_machine_of_one_node_nothing_is_far() =>
        Assert.Empty(NumaPlacement.Check(FakeNodes.Topology((0, "0-7")), s_all, [new(0, 0, [new("a device that says so all the same", 1)])]));
}
