using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class HugePagesTests
{
    [Fact]
    public void Pages_of_all_sizes_count_and_what_is_unreadable_does_not()
    {
        using var directory = new TemporaryDirectory();
        Add("hugepages-2048kB", "10\n");
        Add("hugepages-1048576kB", "2\n");
        Add("hugepages-16kB", "nonsense");
        Assert.Equal(20 + 2048, HugePages.FreeMegabytes(directory.Path));
        Assert.Equal(0, HugePages.FreeMegabytes(directory.File("missing")));

        void Add(string size, string free)
        {
            System.IO.Directory.CreateDirectory(directory.File(size));
            System.IO.File.WriteAllText(Path.Combine(directory.File(size), "free_hugepages"), free);
        }
    }
}
