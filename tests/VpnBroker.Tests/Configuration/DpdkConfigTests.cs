using CryptoPlane.Dpdk;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.DataPlane.Dpdk;

namespace VpnBroker.Tests.Configuration;

public class DpdkConfigTests
{
    private const string Valid = """

        dpdk:
          memory: hugePages
          megabytes: 1024
          logLevel: 6
          virtualDevices: ["crypto_openssl0", "net_tap0,iface=t0"]
          pciDevices: ["0000:5e:00.1"]
          arguments: ["--file-prefix=broker"]
          crypto:
            - {device: "0000:3d:01.0", lcores: [0], depth: 2048, sessions: 100, qatThreshold: 32}
            - {device: crypto_aesni_mb0}
          dispatch: {preferDevice: true, minimumLength: 128, inFlightLimit: 512, stallMilliseconds: 50, errorLimit: 8}

        """;

    [Fact]
    public void Every_key_is_read()
    {
        DpdkConfig dpdk = ConfigText.Parse(ConfigText.Valid + Valid).Dpdk!;
        Assert.Equal((true, 1024, 6), (dpdk.HugePages, dpdk.Megabytes, dpdk.LogLevel));
        Assert.Equal(new DispatchConfig { PreferDevice = true, MinimumLength = 128, InFlightLimit = 512, StallMilliseconds = 50, ErrorLimit = 8 }, dpdk.Dispatch);
        Assert.Equal(["0000:3d:01.0", "crypto_aesni_mb0"], dpdk.Crypto.Select(device => device.Device));
        Assert.Equal((2048, 100, 32), (dpdk.Crypto[0].Depth, dpdk.Crypto[0].Sessions, dpdk.Crypto[0].QatThreshold));
        Assert.Equal([0], dpdk.Crypto[0].Lcores);
        Assert.Null(ConfigText.Parse(ConfigText.Valid).Dpdk);
    }

    [Fact]
    public void The_environment_is_started_with_the_devices_of_all_keys_each_once()
    {
        EalOptions options = DpdkEnvironment.OptionsOf(ConfigText.Parse(ConfigText.Valid + Valid).Dpdk!);
        Assert.Equal(["crypto_openssl0", "net_tap0,iface=t0", "crypto_aesni_mb0"], options.VirtualDevices);
        Assert.Equal(["0000:5e:00.1", "0000:3d:01.0,qat_sym_enq_threshold=32"], options.PciDevices);
        Assert.Equal((EalMemory.HugePages, 1024, 6), (options.Memory, options.MemoryMegabytes, options.LogLevel));

        string named = Valid.Replace("crypto_aesni_mb0", "crypto_openssl0", StringComparison.Ordinal);
        Assert.Equal(["crypto_openssl0", "net_tap0,iface=t0"], DpdkEnvironment.OptionsOf(ConfigText.Parse(ConfigText.Valid + named).Dpdk!).VirtualDevices);
        string driver = Valid.Replace("crypto_aesni_mb0", "crypto_qat", StringComparison.Ordinal);
        Assert.DoesNotContain("crypto_qat", DpdkEnvironment.OptionsOf(ConfigText.Parse(ConfigText.Valid + driver).Dpdk!).VirtualDevices);
    }

    /// <summary>What is replaced in the valid section, by what, and a part of the message.</summary>
    public static TheoryData<string, string, string> Errors => new()
    {
        { "memory: hugePages", "memory: none", "write one of: hugePages, ordinaryPages" },
        { "memory: hugePages", "memory: ordinaryPages", "hardware reaches memory on huge pages only" },
        { "megabytes: 1024", "megabytes: 8", "write a whole number from 16" },
        { "crypto_openssl0", "crypto_openssl", "is no software device: write its driver and a number" },
        { "crypto_openssl0", "-a", "is no device" },
        { "crypto_openssl0", "crypto_openssl0, x=1", "without spaces" },
        { "crypto_openssl0", "net_tap0", "the device net_tap0 is there twice" },
        { "crypto_openssl0", "net_memif0,role=server", "crashes this process when its peer ends" },
        { "0000:5e:00.1", "5e:00.1", "is no PCI address: write it in full" },
        { "--file-prefix=broker", "--vdev=net_memif0", "--vdev has a key of its own: virtualDevices" },
        { "--file-prefix=broker", "-m", "-m has a key of its own: megabytes" },
        { "depth: 2048", "depth: 1000", "write a power of two from 64 to 65536" },
        { "device: crypto_aesni_mb0", "device: net_tap0", "is no crypto device" },
        { "device: crypto_aesni_mb0", "device: \"crypto_qat,x=1\"", "is no crypto device" },
        { "device: crypto_aesni_mb0", "device: crypto_aesni_mb0, qatThreshold: 8", "qatThreshold is for a QuickAssist device" },
        { "device: crypto_aesni_mb0", "lcores: [1]", "dpdk.crypto[1].device: this key is missing" },
        { "device: crypto_aesni_mb0", "device: crypto_aesni_mb0, lcores: [0]", "lcore 0 has 0000:3d:01.0 already" },
        { "device: crypto_aesni_mb0", "device: crypto_aesni_mb0, lcores: [2]", "there is no lcore 2: the last one is 1" },
        { "lcores: [0], ", "", "several devices are for all other lcores" },
        { "device: crypto_aesni_mb0", "device: \"0000:3d:01.0\", lcores: [1]", "the device 0000:3d:01.0 is there twice" },
        { "errorLimit: 8", "errorlimit: 8", "did you mean \"errorLimit\"?" },
        { "stallMilliseconds: 50", "stallMilliseconds: 0", "write a whole number from 1 to 10000" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Errors_say_what_to_do(string old, string replacement, string message)
    {
        Assert.Contains(old, Valid, StringComparison.Ordinal);
        var error = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + Valid.Replace(old, replacement, StringComparison.Ordinal)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_section_that_the_example_shows_as_a_comment_is_valid()
    {
        string[] lines = File.ReadAllLines(RepositoryRoot.PathOf("samples", "VpnBroker", "broker.example.yaml"));
        IEnumerable<string> section = lines.SkipWhile(line => line != "#dpdk:").TakeWhile(line => line.StartsWith('#')).Select(line => line[1..]);
        // Its inside port takes the place of the TUN section.
        string others = ConfigText.Valid.Replace("tun: {", "#tun: {", StringComparison.Ordinal);
        DpdkConfig dpdk = ConfigText.Parse($"{others}\n{string.Join('\n', section)}\n").Dpdk!;
        Assert.Equal("0000:3d:01.0", Assert.Single(dpdk.Crypto).Device);
        Assert.Equal(["wan", "lan"], dpdk.Ports.Select(port => port.Name));
    }

    [Fact]
    public void Memif_is_taken_where_the_file_accepts_what_it_does()
    {
        string text = Valid.Replace("\"crypto_openssl0\"", "\"net_memif0,role=server\"", StringComparison.Ordinal) + "  allowUnsafeMemif: true\n";
        Assert.Contains("net_memif0,role=server", ConfigText.Parse(ConfigText.Valid + text).Dpdk!.VirtualDevices);
    }
}
