using CryptoPlane.TestKit;

namespace VpnBroker.Tests.EndToEnd;

/// <summary>Nothing else runs beside the demo: it fills the machine.</summary>
[CollectionDefinition(nameof(DemoTests), DisableParallelization = true)]
public sealed class DemoCollection;

/// <summary>eng/demo.sh: the real openconnect client through TLS 1.3 and DTLS, the broker and IPsec to a web server, and back.</summary>
[Collection(nameof(DemoTests))]
public sealed class DemoTests
{
    [Fact]
    [Trait("Speed", "slow")]
    public void The_demo_carries_traffic_from_openconnect_to_strongswan_through_rekeys_and_leaves_nothing_behind()
    {
        StrongSwan.Program();
        Requirement.Program("swanctl", "strongswan-swanctl");
        ProgramResult demo = Run([]);
        Assert.Matches(@"\| IKEv2 \| AES_GCM_16-256/PRF_HMAC_SHA2_384/CURVE_25519, ESP AES_GCM_16-256 \|", demo.Output);
        Assert.Matches(@"\| rekeys that strongSwan saw \| ([3-9]|\d\d+) of the child SA, [1-9]\d* of the IKE SA \|", demo.Output);
        Assert.Matches(@"\| 200 pings through them \| (0|0\.5|1)% packet loss, none dropped by the broker \|", demo.Output);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public void The_demo_carries_it_over_dpdk_ports_with_checksums_that_are_right()
    {
        Requirement.Program("ethtool");
        ProgramResult demo = Run(["--dpdk", "--no-huge"]);
        Assert.Matches(@"\| IP, TCP and UDP checksums on the wires \| (\d+) packets, \1 right \|", demo.Output);
        Assert.Matches(@"\| ESP to the gateway \| (\d+) packets, \1 with a valid ICV \|", demo.Output);
        Assert.Matches(@"\| ESP to the broker \| (\d+) packets, \1 with a valid ICV \|", demo.Output);
        Assert.Matches(@"\| DPDK port wan of the broker \| [1-9]\d* ESP packets to the lcore, [1-9]\d* frames to the kernel \|", demo.Output);
        Assert.Matches(@"\| DPDK port lan of the gateway \| [1-9]\d* plain packets to the lcore \|", demo.Output);
    }

    private static ProgramResult Run(IReadOnlyList<string> options)
    {
        Requirement.NetworkNamespaces();
        Requirement.Tun();
        Requirement.Program("openconnect");
        Requirement.Program("iperf3");
        Requirement.Program("dumpcap", "tshark");
        Requirement.Program("curl");
        Requirement.Program("jq");

        using ExternalProgram script = ExternalProgram.Start("/bin/bash", [RepositoryRoot.PathOf("eng", "demo.sh"), "--no-setup", .. options]);
        ProgramResult demo = script.WaitForExit(TimeSpan.FromMinutes(5));

        Assert.True(demo.ExitCode == 0, demo.AllOutput);
        Assert.Matches(@"\| download \| .*SHA-256 [0-9a-f]{16}\.\.\. is right \|", demo.Output);
        Assert.Matches(@"\| iperf3 down \| [1-9]\d* Mb/s \|", demo.Output);
        Assert.Matches(@"\| data channel \| Established DTLS connection .*\(DTLS1\.2\)-\(PSK\)", demo.Output);
        Assert.Matches(@"\| without UDP \| by TLS in the same session, 0% packet loss \|", demo.Output);
        Assert.DoesNotContain($"cp-demo-{script.Id}-", ExternalProgram.Run(Requirement.Program("ip", "iproute2"), ["netns", "list"]).Output);
        return demo;
    }
}
