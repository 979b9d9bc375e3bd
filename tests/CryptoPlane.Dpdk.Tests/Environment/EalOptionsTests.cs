namespace CryptoPlane.Dpdk.Tests.Environment;

public sealed class EalOptionsTests
{
    private static readonly HugePages s_plenty = new(1024);

    [Fact]
    public void Without_devices_nothing_on_the_pci_bus_is_touched()
    {
        List<string> arguments = new EalOptions { MemoryMegabytes = 128 }.ToArguments(firstCpu: 3);
        Assert.Equal("cryptoplane --no-telemetry --log-level=4 --lcores 0@3 -m 128 --in-memory --no-pci --iova-mode=va", string.Join(' ', arguments));
    }

    [Fact]
    public void Devices_are_allowed_one_by_one()
    {
        var options = new EalOptions
        {
            Memory = EalMemory.HugePages,
            MainCpu = 7,
            PciDevices = ["0000:3d:01.0,qat_sym_enq_threshold=32"],
            VirtualDevices = ["crypto_openssl0", "net_null0,size=64"],
            ExtraArguments = ["--socket-limit", "512"],
        };
        string arguments = string.Join(' ', options.ToArguments(firstCpu: 0));
        Assert.EndsWith("--in-memory -a 0000:3d:01.0,qat_sym_enq_threshold=32 --vdev crypto_openssl0 --vdev net_null0,size=64 --socket-limit 512", arguments, StringComparison.Ordinal);
        Assert.Contains("--lcores 0@7", arguments, StringComparison.Ordinal);
        Assert.DoesNotContain("--no-pci", arguments, StringComparison.Ordinal);
    }

    [Fact]
    public void Too_few_huge_pages_are_an_error_that_says_how_to_get_them()
    {
        var options = new EalOptions { MemoryMegabytes = 256 };
        Eal.Validate(options, new HugePages(256));
        var error = Assert.Throws<DpdkException>(() => Eal.Validate(options, new HugePages(255)));
        Assert.Contains("sysctl -w vm.nr_hugepages=136", error.Message, StringComparison.Ordinal);
        Assert.Contains("NoHugePages", error.Message, StringComparison.Ordinal);
        Eal.Validate(new EalOptions { Memory = EalMemory.NoHugePages }, default);
    }

    [Fact]
    public void Where_a_cgroup_forbids_huge_pages_the_advice_is_to_raise_its_limit()
    {
        var error = Assert.Throws<DpdkException>(() => Eal.Validate(new EalOptions(), new HugePages(64, LimitedByCgroup: true)));
        Assert.Contains("hugepages-2Mi", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sysctl", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Huge_pages_as_files_have_a_directory_and_a_prefix_of_the_process()
    {
        var options = new EalOptions { Memory = EalMemory.HugePageFiles, HugePageDirectory = "/mnt/huge", SingleFileSegments = true };
        Assert.Contains($"--no-shconf --huge-dir /mnt/huge --file-prefix cryptoplane-{System.Environment.ProcessId}- --single-file-segments --no-pci",
            string.Join(' ', options.ToArguments(0)), StringComparison.Ordinal);
        options = new EalOptions { SingleFileSegments = true };
        Assert.Contains("--in-memory --single-file-segments --no-pci", string.Join(' ', options.ToArguments(0)), StringComparison.Ordinal);
        Assert.Throws<DpdkException>(() => Eal.Validate(new EalOptions { Memory = EalMemory.HugePageFiles }, default));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("../x")]
    [InlineData("%d")]
    public void A_prefix_is_a_part_of_a_file_name(string prefix) =>
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { FilePrefix = prefix }, s_plenty));

    [Theory]
    [InlineData("")]
    [InlineData("--vdev")]
    [InlineData("crypto_null0 --no-huge")]
    public void A_device_is_not_a_way_to_pass_other_arguments(string device)
    {
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { VirtualDevices = [device] }, s_plenty));
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { PciDevices = [device] }, s_plenty));
    }

    [Fact]
    public void What_would_make_the_eal_abort_is_refused_before()
    {
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { VirtualDevices = ["net_null0", "net_null0,size=64"] }, s_plenty));
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { Memory = EalMemory.NoHugePages, PciDevices = ["0000:3d:01.0"] }, s_plenty));
        Assert.Throws<ArgumentException>(() => Eal.Validate(new EalOptions { Memory = EalMemory.NoHugePages, SingleFileSegments = true }, s_plenty));
        Assert.Throws<ArgumentOutOfRangeException>(() => Eal.Validate(new EalOptions { MemoryMegabytes = 8 }, s_plenty));
        Assert.Throws<ArgumentOutOfRangeException>(() => Eal.Validate(new EalOptions { LogLevel = 0 }, s_plenty));
    }
}
