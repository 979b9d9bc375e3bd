using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Lcores;

public sealed class LcoreCpusTests
{
    private static readonly CpuSet s_online = FakeNodes.Cpus("0-7");

    [Fact]
    public void Named_cpus_are_taken_if_the_process_may_use_them()
    {
        Assert.Equal([5, 2], LcoreCpus.Choose([5, 2], FakeNodes.Cpus("2-5"), s_online));
        var error = Assert.Throws<InvalidOperationException>(() => LcoreCpus.Choose([1, 2, 6], FakeNodes.Cpus("2-5"), s_online));
        Assert.Contains("on CPU 1, 6, and this process may use only 2-5", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    // The highest CPUs of the process's own; the lowest is left to control threads.
    [InlineData(2, "1-3", "3,2")]
    [InlineData(3, "1-3", "3,2,1")]
    // Too few: bound to none of them.
    [InlineData(4, "1-3", ",,,")]
    // Nobody gave the process CPUs of its own: another process may be meant to have them as well.
    [InlineData(2, "0-7", ",")]
    public void Lcores_without_a_cpu_take_theirs_from_the_cpuset(int lcores, string allowed, string chosen)
    {
        IReadOnlyList<int?> cpus = LcoreCpus.Choose(new int?[lcores], FakeNodes.Cpus(allowed), s_online);
        Assert.Equal(chosen, string.Join(',', cpus));
    }

    [Fact]
    public void Named_and_chosen_cpus_do_not_meet() => Assert.Equal([3, 2], LcoreCpus.Choose([3, null], FakeNodes.Cpus("2-3"), s_online));

    [Fact]
    public void A_process_in_a_cpuset_of_its_own_sees_it()
    {
        string taskset = Requirement.Program("taskset", "util-linux");
        CpuSet allowed = CpuSet.OfProcess();
        string cpu = $"{allowed[allowed.Count - 1]}";
        string list = ExternalProgram.Run(taskset, ["-c", cpu, "grep", "Cpus_allowed_list", "/proc/self/status"]).EnsureSuccess().Output;
        Assert.EndsWith(cpu, list.Trim(), StringComparison.Ordinal);
        Assert.True(CpuSet.Online().Intersect(allowed) == allowed);
        Assert.Equal(0, CpuSet.Online("/nonexistent").Count);
    }

    [Fact]
    public void What_is_made_within_a_set_is_made_there_and_the_thread_is_free_again()
    {
        CpuSet before = CpuSet.OfCurrentThread();
        CpuSet one = CpuSet.Of(before[before.Count - 1]);
        Assert.Equal(one, one.RunWithin(CpuSet.OfCurrentThread));
        Assert.Throws<TimeoutException>(() => one.RunWithin<int>(() => throw new TimeoutException()));
        Assert.Equal(before, CpuSet.OfCurrentThread());
    }
}
