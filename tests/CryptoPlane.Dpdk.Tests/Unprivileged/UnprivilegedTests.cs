using CryptoPlane.TestKit;

namespace CryptoPlane.Dpdk.Tests.Unprivileged;

/// <summary>DPDK in a process of the user nobody without any capability, as in a container.</summary>
public sealed class UnprivilegedTests
{
    private const string Device = "crypto_aesni_mb0";

    [Fact]
    public void Without_huge_pages_a_crypto_device_works() => Works(DpdkLab.Run("aead", Device, "--vdev", Device, "--memory", "ordinary"));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_huge_pages_in_memory_a_crypto_device_works(bool singleFile)
    {
        HugePageReserve.Require();
        Works(DpdkLab.Run(["aead", Device, "--vdev", Device, "--memory", "huge", .. singleFile ? new[] { "--single-file" } : []]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void On_huge_pages_as_files_a_crypto_device_works_and_nothing_stays(bool singleFile)
    {
        using var mount = new HugePageMount(DpdkLab.Nobody);
        Works(DpdkLab.Run(["aead", Device, "--vdev", Device, "--memory", "files", "--directory", mount.Path, .. singleFile ? new[] { "--single-file" } : []]));
        Assert.Empty(Directory.GetFileSystemEntries(mount.Path));
    }

    [Fact]
    public void A_directory_of_somebody_else_is_an_error_that_says_how_to_mount_it()
    {
        using var mount = new HugePageMount(user: 0);
        Fails(DpdkLab.Run("aead", Device, "--vdev", Device, "--memory", "files", "--directory", mount.Path), $"may not make files in {mount.Path}", "fsGroup");
    }

    [Fact]
    public void More_huge_pages_than_there_are_is_an_error_that_says_how_to_get_them() =>
        Fails(DpdkLab.Run("aead", Device, "--memory", "huge", "--megabytes", "1000000"), "1000000 MB of huge pages", "NoHugePages");

    [Fact]
    public void A_device_that_was_not_named_to_the_eal_is_an_error_that_says_where_to()
    {
        Fails(DpdkLab.Run("aead", Device), $"no crypto device '{Device}'", "EalOptions (VirtualDevices or PciDevices)");
        Fails(DpdkLab.Run("aead", Device, "--vdev", "crypto_null0"), $"no crypto device '{Device}'", "There are: crypto_null0");
    }

    [Fact]
    public void A_device_that_no_driver_knows_is_an_error_that_names_the_drivers_package() =>
        Fails(DpdkLab.Run("aead", Device, "--vdev", "crypto_imaginary0"), "crypto_imaginary0", "no driver knows", "Debian: dpdk");

    private static void Works(ProgramResult result)
    {
        result.EnsureSuccess();
        Assert.Contains("runs as user nobody", result.Output, StringComparison.Ordinal);
        Assert.Contains("512 operations by crypto_aesni_mb", result.Output, StringComparison.Ordinal);
    }

    private static void Fails(ProgramResult result, params string[] words)
    {
        Assert.Equal(1, result.ExitCode);
        Assert.All(words, word => Assert.Contains(word, result.Error, StringComparison.Ordinal));
    }
}
