using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Unprivileged;

/// <summary>A hugetlbfs of a test's own.</summary>
internal sealed class HugePageMount : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    /// <summary>Mounts it. Skips the test without root or free huge pages.</summary>
    /// <param name="user">Whose it is.</param>
    public HugePageMount(int user)
    {
        Requirement.Root();
        HugePageReserve.Require();
        // The directory is in one that only root may enter.
        File.SetUnixFileMode(_directory.Path, File.GetUnixFileMode(_directory.Path) | UnixFileMode.OtherExecute | UnixFileMode.GroupExecute);
        System.IO.Directory.CreateDirectory(Path);
        ExternalProgram.Run("mount", ["-t", "hugetlbfs", "-o", $"pagesize=2M,mode=0700,uid={user}", "hugetlbfs", Path]).EnsureSuccess();
    }

    /// <summary>Where it is.</summary>
    public string Path => _directory.File("hugepages");

    public void Dispose()
    {
        ExternalProgram.Run("umount", [Path]).EnsureSuccess();
        _directory.Dispose();
    }
}
