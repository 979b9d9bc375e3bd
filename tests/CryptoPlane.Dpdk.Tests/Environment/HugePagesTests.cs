using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class HugePagesTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    [Fact]
    public void Pages_of_all_sizes_count_and_what_is_unreadable_does_not()
    {
        Add("pages/hugepages-2048kB/free_hugepages", "10\n");
        Add("pages/hugepages-1048576kB/free_hugepages", "2\n");
        Add("pages/hugepages-16kB/free_hugepages", "nonsense");
        Add("pages/hugepages-xkB/free_hugepages", "3");
        Assert.Equal(new HugePages(20 + 2048), HugePages.Read(_directory.File("pages"), []));
        Assert.Equal(default, HugePages.Read(_directory.File("missing"), []));
    }

    [Fact]
    public void The_tightest_limit_of_the_cgroups_counts_for_each_size()
    {
        Add("pages/hugepages-2048kB/free_hugepages", "512\n");
        Add("pages/hugepages-1048576kB/free_hugepages", "1\n");
        Add("group/hugetlb.2MB.max", "max\n");
        Add("group/hugetlb.1GB.max", "2147483648\n");
        Assert.Equal(new HugePages(2048), Read("group"));
        Add("group/hugetlb.2MB.rsvd.max", $"{300 << 20}\n");
        Add("group/hugetlb.2MB.rsvd.current", $"{100 << 20}\n");
        Assert.Equal(new HugePages(1024 + 200, LimitedByCgroup: true), Read("group"));
        Add("above/hugetlb.2MB.max", $"{16 << 20}\n");
        Add("above/hugetlb.2MB.current", $"{20 << 20}\n");
        Assert.Equal(new HugePages(1024, LimitedByCgroup: true), Read("group", "above"));

        HugePages Read(params string[] groups) => HugePages.Read(_directory.File("pages"), [.. groups.Select(_directory.File)]);
    }

    [Fact]
    public void A_process_is_in_its_cgroup_and_all_above()
    {
        Assert.Equal(["/cg/kubepods/pod1", "/cg/kubepods", "/cg"], HugePages.OwnCgroups("/cg", ["1:cpu:/a", "0::/kubepods/pod1"]));
        Assert.Equal(["/cg"], HugePages.OwnCgroups("/cg", ["0::/"]));
        Assert.Empty(HugePages.OwnCgroups("/cg", ["1:hugetlb:/a"]));
    }

    public void Dispose() => _directory.Dispose();

    private void Add(string file, string content)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(_directory.File(file))!);
        File.WriteAllText(_directory.File(file), content);
    }
}
