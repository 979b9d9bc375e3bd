using CryptoPlane.TestKit;
using VpnBroker.Tests.Capture;

namespace VpnBroker.Tests.Interop.Dpdk;

/// <summary>The broker's own program on DPDK ports: what happens to links and peers, and what an lcore asks of the kernel.</summary>
[Collection(nameof(DpdkPortTests))]
public sealed class DpdkPortTests
{
    private const int Windows = 4;

    [Fact]
    public void Links_that_flap_and_a_peer_that_dies_interrupt_traffic_and_nothing_else()
    {
        using var site = new DpdkSite("adaptive");
        site.StartTraffic();
        Assert.Equal(0, site.Peer.Run(Requirement.Program("ping", "iputils-ping"), ["-c", "1", "-W", "20", "10.98.0.1"]).ExitCode);
        int process = site.Broker.Status().GetProperty("processId").GetInt32();

        // The other end of the wire, then the device itself, below the lcores that use it.
        Flap(site, site.Peer, "the peer's end of the wire");
        Flap(site, site.Place, "the port's own device");

        site.RestartPeer(between: () =>
        {
            ulong sent = Esp(site);
            Eventually.True(() => Esp(site) > sent + 50, "ESP towards a peer that is not there");
        });
        site.WaitForTraffic("from the peer that was started again");

        Assert.Equal(process, site.Broker.Status().GetProperty("processId").GetInt32());
        site.Broker.Program.Signal(ExternalProgram.SigTerm);
        Assert.Equal(0, site.Broker.Program.WaitForExit(TimeSpan.FromSeconds(30)).ExitCode);
    }

    /// <summary>The way of virtio_user over vhost-net, which needs /dev/vhost-net, with the device of the kind that runs everywhere.</summary>
    [Fact]
    public void The_kernels_share_of_a_port_can_go_by_another_device()
    {
        using var site = new DpdkSite("adaptive", exceptionDevice: "net_tap0");
        site.StartTraffic();
        string ping = Requirement.Program("ping", "iputils-ping");
        ProgramResult small = site.Peer.Run(ping, ["-c", "5", "-i", "0.02", "-W", "20", "10.98.0.1"]);
        ProgramResult large = site.Peer.Run(ping, ["-c", "2", "-i", "0.02", "-W", "20", "-s", "1472", "-M", "do", "10.98.0.1"]);
        Assert.True(small.ExitCode == 0 && large.ExitCode == 0, small.AllOutput + large.AllOutput);
        // The other way: the kernel begins.
        site.Place.Run(ping, ["-c", "2", "-i", "0.02", "-W", "20", "10.98.0.2"]).EnsureSuccess();
        Assert.Contains("10.98.0.1/24", site.Place.Run(Requirement.Program("ip", "iproute2"), ["addr", "show", "dev", "wan0"]).EnsureSuccess().Output, StringComparison.Ordinal);
        Assert.True(site.Received("exception:wan0") >= 9, "the kernel's frames came by the device");
        site.WaitForTraffic("beside it");
        site.Broker.Program.Signal(ExternalProgram.SigTerm);
        Assert.Equal(0, site.Broker.Program.WaitForExit(TimeSpan.FromSeconds(30)).ExitCode);
    }

    [Fact]
    public void Frames_of_a_port_can_be_captured()
    {
        using var site = new DpdkSite("adaptive");
        site.StartTraffic();
        (ProgramResult result, string file) = site.Capture("wan", packets: 20);
        result.EnsureSuccess();
        var capture = new PcapngFile(File.ReadAllBytes(file));
        Assert.Equal(["dpdk:wan/lcore0"], capture.Interfaces);
        Assert.Equal(20, capture.Packets.Count);
        // Ethernet, IPv4 within it, and in most of them UDP of port 4500: the tunnel's ESP.
        Assert.True(capture.Packets.Count(packet => packet.Bytes.Length > 38 && packet.Bytes.AsSpan(12, 3) is [0x08, 0x00, 0x45]
            && packet.Bytes.AsSpan(36, 2) is [0x11, 0x94]) > 10, "the frames of the tunnel's ESP");

        (result, file) = site.Capture("lan", packets: 1);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("port dpdk:lan shows users' traffic in clear", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    /// <summary>No lock is waited for and nobody is woken: in the steady state, an lcore that polls makes no futex call.</summary>
    [Fact]
    [Trait("Category", "Soak")]
    public void An_lcore_that_polls_makes_no_futex_call()
    {
        string strace = Requirement.Program("strace");
        string seconds = Environment.GetEnvironmentVariable("CRYPTOPLANE_SOAK_SECONDS") == null ? "3" : "10";
        using var site = new DpdkSite("busy");
        site.StartTraffic();
        string[] threads = [.. Directory.GetDirectories($"/proc/{site.Broker.Program.Id}/task").Where(task => File.ReadAllText($"{task}/comm").StartsWith("lcore-", StringComparison.Ordinal)).Select(Path.GetFileName).OfType<string>()];
        Assert.NotEmpty(threads);
        // The first calls of each method are compiled and counted, with the help of other threads: that is over soon.
        WaitUntilCompiled(site);

        // When a rare path (a neighbour is asked again) is taken for the thirtieth time, the runtime wakes its compiler, once for each method
        // of it. A call that belongs to packets or turns would be in every window.
        string[] calls = [];
        for (int window = 0; window < Windows && (window == 0 || calls.Contains("futex")); window++)
        {
            int before = site.Answers;
            ProgramResult result = ExternalProgram.Run(Requirement.Program("timeout", "coreutils"),
                ["--signal=INT", seconds, strace, "-c", .. threads.SelectMany(thread => new[] { "-p", thread })], timeout: TimeSpan.FromSeconds(60));
            int during = site.Answers - before;
            Assert.True(during >= 20, $"traffic while strace looked: {during} answers\n{result.AllOutput}");
            // Its table: share, seconds, microseconds per call, calls, errors or nothing, name.
            calls = [.. result.AllOutput.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words.Length is 5 or 6).Select(words => words[^1])];
            Assert.Contains("sendto", calls);
        }
        Assert.DoesNotContain("futex", calls);
    }

    private static void WaitUntilCompiled(DpdkSite site)
    {
        int answers = site.Answers;
        Eventually.True(() => site.Answers > answers + 2000, "traffic to warm up with", TimeSpan.FromSeconds(60));
    }

    /// <summary>net_af_packet, which every kernel has, does not tell of its link: what shows is that packets cannot be sent, and then can again.</summary>
    private static void Flap(DpdkSite site, NetworkNamespace end, string what)
    {
        ulong drops = site.Drops("wan");
        end.Ip("link set eth0 down");
        Eventually.True(() => site.Drops("wan") > drops, $"{what} is down: packets that could not be sent are counted", TimeSpan.FromSeconds(60));
        end.Ip("link set eth0 up");
        site.WaitForTraffic($"when {what} is up again");
    }

    private static ulong Esp(DpdkSite site) => site.Broker.Status().GetProperty("esp")[0].GetProperty("traffic").GetProperty("sentPackets").GetUInt64();
}

/// <summary>Alone: a lcore that polls without pause fills a CPU.</summary>
[CollectionDefinition(nameof(DpdkPortTests), DisableParallelization = true)]
public sealed class DpdkPortCollection;
