using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class HugePageDirectoryTests
{
    [Fact]
    public void Mounts_are_told_by_their_type() =>
        Assert.Equal(["/dev/hugepages", "/mnt/two words"], HugePageDirectory.MountsOf(
        [
            "proc /proc proc rw 0 0", "hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=2M 0 0", "nodev /mnt/two\\040words hugetlbfs rw 0 0", "tmpfs /hugetlbfs tmpfs rw 0 0", "",
        ]));

    [Fact]
    public void A_directory_without_a_hugetlbfs_is_refused_and_the_message_names_those_that_have_one()
    {
        using var directory = new TemporaryDirectory();
        var error = Assert.Throws<DpdkException>(() => HugePageDirectory.Check(directory.Path, ["/dev/hugepages"]));
        Assert.Contains("(these are: /dev/hugepages)", error.Message, StringComparison.Ordinal);
        Assert.Contains("mount -t hugetlbfs", error.Message, StringComparison.Ordinal);
        Assert.Throws<DpdkException>(() => HugePageDirectory.Check(directory.File("missing"), [directory.File("missing")]));
        HugePageDirectory.Check(directory.Path + "/", [directory.Path]);
        Assert.Empty(System.IO.Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public void Files_of_the_prefix_go_and_those_of_others_stay()
    {
        using var directory = new TemporaryDirectory();
        foreach (string name in new[] { "mine-map_0", "mine-map_1", "other-map_0", "mine-notes" })
            File.WriteAllText(directory.File(name), "");
        string runtime = directory.File("mine-");
        System.IO.Directory.CreateDirectory(runtime);
        HugePageDirectory.Unlink(new EalOptions { HugePageDirectory = directory.Path, FilePrefix = "mine-" }, runtime);
        Assert.Equal(["mine-notes", "other-map_0"], System.IO.Directory.GetFileSystemEntries(directory.Path).Select(Path.GetFileName).Order());
    }
}
