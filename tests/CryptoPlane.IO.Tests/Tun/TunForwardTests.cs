using System.Security.Cryptography;
using System.Text.Json;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Tun;

/// <summary>Real TCP, UDP and ICMP between two network namespaces, through two TUN devices that an lcore joins.</summary>
public sealed class TunForwardTests
{
    private const string LeftIPv4 = "10.83.1.1", RightIPv4 = "10.83.2.1", LeftIPv6 = "fd83:1::1", RightIPv6 = "fd83:2::1";

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void Everything_crosses_whole(bool leftOffloads, bool rightOffloads)
    {
        Requirement.Tun();
        string iperf = Requirement.Program("iperf3");
        string ping = Requirement.Program("ping", "iputils-ping");
        string curl = Requirement.Program("curl");
        string python = Requirement.Program("/usr/bin/python3", "python3");
        using var leftSpace = new NetworkNamespace("left");
        using var rightSpace = new NetworkNamespace("right");
        using TunDevice left = Connect(leftSpace, leftOffloads, LeftIPv4, LeftIPv6);
        using TunDevice right = Connect(rightSpace, rightOffloads, RightIPv4, RightIPv6);
        using var forwarder = new TunForwarder(left, right, IdlePolicy.Adaptive);

        foreach (string address in (string[])[RightIPv4, RightIPv6])
            leftSpace.Run(ping, ["-c", "3", "-i", "0.05", "-W", "5", "-s", "1300", address]).EnsureSuccess();

        // A download of known bytes: the checksums that were finished, verified and made anew all along the way were right.
        using var directory = new TemporaryDirectory();
        byte[] content = RandomNumberGenerator.GetBytes(12_345_678);
        File.WriteAllBytes(directory.File("content"), content);
        using ExternalProgram server = rightSpace.Start(python, ["-u", "-m", "http.server", "--bind", "::", "--directory", directory.Path, "8083"]);
        server.WaitForOutput("Serving HTTP");
        foreach (string host in (string[])[RightIPv4, $"[{RightIPv6}]"])
        {
            leftSpace.Run(curl, ["-sS", "-g", "--fail", "-o", directory.File("copy"), $"http://{host}:8083/content"]).EnsureSuccess();
            Assert.Equal(Convert.ToHexString(SHA256.HashData(content)), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(directory.File("copy")))));
        }

        using ExternalProgram listener = rightSpace.Start(iperf, ["-s", "--forceflush"]);
        listener.WaitForOutput("Server listening");
        foreach (string[] extra in (string[][])[[], ["-R"], ["-P", "4", "--bidir"], ["-u", "-b", "300M", "-l", "1200"], ["-u", "-R", "-b", "300M", "-l", "1200"]])
        {
            string report = leftSpace.Run(iperf, ["-c", RightIPv4, "-t", "1", "-J", .. extra]).EnsureSuccess().Output;
            using JsonDocument json = JsonDocument.Parse(report);
            Assert.True(json.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bytes").GetInt64() > 1_000_000, report);
        }

        forwarder.StopAndCheck();
        // iperf3's UDP sender may flood the interface's queue, which is the kernel's to drop; nothing may be dropped here.
        for (int i = 0; i < 2; i++)
        {
            PortCounters counters = forwarder[i];
            Assert.Equal(0, counters.DropMalformed + counters.DropTooLong + counters.DropRefused + counters.ReceiveErrors);
            Assert.Equal(forwarder[1 - i].ReceivedPackets, counters.TransmittedPackets + counters.DropQueueFull);
        }
        if (leftOffloads)
        {
            Assert.True(forwarder[0].ReceivedSuperPackets > 0);
            Assert.True(forwarder[0].TransmittedSuperPackets > 0);
        }
        Assert.Equal(0, forwarder.AllocatedBytes);
    }

    [Fact]
    public void A_device_has_the_name_mtu_and_addresses_that_it_was_given()
    {
        Requirement.Tun();
        string ip = Requirement.Program("ip", "iproute2");
        string name = $"cp{Environment.ProcessId % 100_000}x";
        using (TunDevice device = TunDevice.Open(new TunOptions { Name = name, Mtu = 1280, Queues = 2 }))
        {
            Assert.Equal(name, device.Name);
            device.AddAddress(System.Net.IPAddress.Parse("10.83.9.1"), 24);
            device.AddAddress(System.Net.IPAddress.Parse("fd83:9::1"), 64);
            string shown = ExternalProgram.Run(ip, ["addr", "show", "dev", name]).EnsureSuccess().Output;
            Assert.Contains("mtu 1280", shown, StringComparison.Ordinal);
            Assert.Contains("10.83.9.1/24", shown, StringComparison.Ordinal);
            Assert.Contains("fd83:9::1/64", shown, StringComparison.Ordinal);
            Assert.Contains("UP", shown, StringComparison.Ordinal);
            InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => TunDevice.Open(new TunOptions { Name = name }));
            Assert.Contains(name, refused.Message, StringComparison.Ordinal);
        }
        Assert.NotEqual(0, ExternalProgram.Run(ip, ["addr", "show", "dev", name]).ExitCode);
    }

    private static TunDevice Connect(NetworkNamespace space, bool offloads, string ipv4, string ipv6)
    {
        TunDevice device = TunDevice.Open(new TunOptions { Offloads = offloads, Mtu = 1400 });
        string ip = Requirement.Program("ip", "iproute2");
        ExternalProgram.Run(ip, ["link", "set", device.Name, "netns", space.Name]).EnsureSuccess();
        space.AddAddress(device.Name, ipv4 + "/32");
        space.AddAddress(device.Name, ipv6 + "/128");
        space.Ip($"link set {device.Name} up");
        space.Ip($"route add 10.83.0.0/16 dev {device.Name}");
        space.Ip($"-6 route add fd83::/16 dev {device.Name}");
        return device;
    }
}
