using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using CryptoPlane.Buffers;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Tun;

/// <summary>TAP devices against the kernel: their settings, and frames of two namespaces that are carried from one to the other.</summary>
public sealed unsafe class TapPortTests
{
    private static readonly PhysicalAddress s_mac = PhysicalAddress.Parse("02-CA-FE-00-00-01");

    [Fact]
    public void A_device_has_all_that_it_was_given()
    {
        Requirement.Tun();
        string ip = Requirement.Program("ip", "iproute2");
        string name = $"cp{Environment.ProcessId % 100_000}t";
        using (TapDevice device = TapDevice.Open(new TapOptions { Name = name, Mac = s_mac, Mtu = 1480, Queues = 2, TransmitQueueLength = 77 }))
        {
            Assert.Equal(name, device.Name);
            Assert.Equal(2, device.QueueCount);
            foreach ((string address, int prefix) in ((string, int)[])[("10.84.9.1", 24), ("10.84.9.2", 24), ("fd84:9::1", 64)])
                device.AddAddress(IPAddress.Parse(address), prefix);
            device.SetRoute(IPNetwork.Parse("10.85.0.0/16"), IPAddress.Parse("10.84.9.254"));
            device.SetRoute(IPNetwork.Parse("10.86.0.0/16"), null);
            device.SetRoute(IPNetwork.Parse("fd85::/32"), IPAddress.Parse("fd84:9::fe"));

            string shown = ExternalProgram.Run(ip, ["-d", "addr", "show", "dev", name]).EnsureSuccess().Output;
            foreach (string part in (string[])["02:ca:fe:00:00:01", "mtu 1480", "qlen 77", "10.84.9.1/24", "10.84.9.2/24", "fd84:9::1/64", "tun type tap", "numtxqueues", "LOWER_UP"])
                Assert.Contains(part, shown, StringComparison.Ordinal);
            string routes = ExternalProgram.Run(ip, ["route", "show", "dev", name]).EnsureSuccess().Output;
            Assert.Contains("10.85.0.0/16 via 10.84.9.254", routes, StringComparison.Ordinal);
            Assert.Contains("10.86.0.0/16", routes, StringComparison.Ordinal);
            Assert.Contains("fd85::/32 via fd84:9::fe", ExternalProgram.Run(ip, ["-6", "route", "show", "dev", name]).EnsureSuccess().Output, StringComparison.Ordinal);

            device.SetCarrier(false);
            Assert.Contains("NO-CARRIER", ExternalProgram.Run(ip, ["link", "show", "dev", name]).EnsureSuccess().Output, StringComparison.Ordinal);
            device.SetCarrier(true);
            Assert.DoesNotContain("NO-CARRIER", ExternalProgram.Run(ip, ["link", "show", "dev", name]).EnsureSuccess().Output, StringComparison.Ordinal);

            InvalidOperationException refused = Assert.Throws<InvalidOperationException>(() => TapDevice.Open(new TapOptions { Name = name }));
            Assert.Contains(name, refused.Message, StringComparison.Ordinal);
            Assert.Throws<InvalidOperationException>(() => device.SetRoute(IPNetwork.Parse("10.87.0.0/16"), IPAddress.Parse("192.0.2.77")));
            Assert.Throws<ArgumentException>(() => device.SetRoute(IPNetwork.Parse("10.87.0.0/16"), IPAddress.Parse("fd84:9::fe")));
        }
        Assert.NotEqual(0, ExternalProgram.Run(ip, ["addr", "show", "dev", name]).ExitCode);
    }

    [Theory]
    [InlineData("01-00-5E-00-00-01")]
    [InlineData("00-00-00-00-00-00")]
    [InlineData("02-00-00-00-00-00-00-01")]
    public void An_address_of_no_station_is_refused(string mac) =>
        Assert.Throws<ArgumentException>(() => TapDevice.Open(new TapOptions { Mac = PhysicalAddress.Parse(mac) }));

    [Fact]
    public void Buffers_hold_a_frame_with_a_tag()
    {
        Requirement.Tun();
        using TapDevice device = TapDevice.Open(new TapOptions());
        using var pool = new PacketPool(8, 1518, headroom: 0);
        using var port = new TapPort(device, 0, pool);
        // The same size, of which a byte too many is headroom.
        using var small = new PacketPool(8, pool.BufferSize, headroom: pool.BufferSize - 1517);
        ArgumentException refused = Assert.Throws<ArgumentException>(() => new TapPort(device, 0, small));
        Assert.Contains("1517", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_cross_whole_and_without_allocation()
    {
        Requirement.Tun();
        string ping = Requirement.Program("ping", "iputils-ping");
        string curl = Requirement.Program("curl");
        string python = Requirement.Program("/usr/bin/python3", "python3");
        using var leftSpace = new NetworkNamespace("left");
        using var rightSpace = new NetworkNamespace("right");
        using TapDevice left = Connect(leftSpace, "10.84.1.1/24", "fd84:1::1/64");
        using TapDevice right = Connect(rightSpace, "10.84.1.2/24", "fd84:1::2/64");
        using var joint = new TapJoint(left, right);

        foreach (string address in (string[])["10.84.1.2", "fd84:1::2"])
        {
            using ExternalProgram running = leftSpace.Start(ping, ["-c", "3", "-i", "0.05", "-W", "5", "-s", "1400", address]);
            joint.RunUntil(() => running.HasExited);
            running.WaitForExit().EnsureSuccess();
        }

        using var directory = new TemporaryDirectory();
        byte[] content = RandomNumberGenerator.GetBytes(3_456_789);
        File.WriteAllBytes(directory.File("content"), content);
        using ExternalProgram server = rightSpace.Start(python, ["-u", "-m", "http.server", "--bind", "::", "--directory", directory.Path, "8084"]);
        server.WaitForOutput("Serving HTTP");
        foreach (string host in (string[])["10.84.1.2", "[fd84:1::2]"])
        {
            using ExternalProgram running = leftSpace.Start(curl, ["-sS", "-g", "--fail", "-m", "20", "-o", directory.File("copy"), $"http://{host}:8084/content"]);
            joint.RunUntil(() => running.HasExited);
            running.WaitForExit().EnsureSuccess();
            Assert.Equal(Convert.ToHexString(SHA256.HashData(content)), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(directory.File("copy")))));
        }

        for (int i = 0; i < 2; i++)
        {
            PortCounters counters = joint[i];
            Assert.True(counters.ReceivedPackets > 100);
            Assert.Equal(joint[1 - i].ReceivedPackets, counters.TransmittedPackets);
            Assert.Equal(joint[1 - i].ReceivedBytes, counters.TransmittedBytes);
            Assert.Equal(0, counters.DropTooLong + counters.DropRefused + counters.DropQueueFull + counters.ReceiveErrors);
        }
        Assert.Equal(0, joint.AllocatedBytes);
    }

    [Fact]
    public void Frames_that_do_not_fit_or_are_refused_are_counted()
    {
        Requirement.Tun();
        string ping = Requirement.Program("ping", "iputils-ping");
        using var space = new NetworkNamespace("tap");
        using TapDevice device = Connect(space, "10.84.2.1/24", "fd84:2::1/64");
        using var pool = new PacketPool(16, 64 + 1518, 64);
        using var port = new TapPort(device, 0, pool);
        // A neighbour that is known needs no resolution, and an MTU that somebody raised makes frames that no buffer holds.
        space.Ip($"link set {device.Name} mtu 4000");
        space.Ip($"neigh add 10.84.2.2 lladdr 02:00:00:00:00:99 dev {device.Name}");
        space.Run(ping, ["-c", "1", "-W", "1", "-s", "3000", "10.84.2.2"]);
        PacketBuffer** burst = stackalloc PacketBuffer*[16];
        Eventually.True(() =>
        {
            pool.Return(burst, port.Receive(burst, 16));
            return port.ReadCounters().DropTooLong > 0;
        }, "the frame that is too long");

        Assert.True(pool.TryRent(out burst[0]));
        Assert.True(burst[0]->TrySetLength(13));
        Assert.Equal(1, port.Transmit(burst, 1));
        Assert.Equal(1, port.ReadCounters().DropRefused);

        for (int i = 0; i < 16; i++)
            Assert.True(pool.TryRent(out burst[i]));
        PacketBuffer** none = stackalloc PacketBuffer*[1];
        Assert.Equal(0, port.Receive(none, 1));
        Assert.Equal(1, port.ReadCounters().NoBuffer);
        pool.Return(burst, 16);
        Assert.Equal(pool.Count, pool.Available);
    }

    private static TapDevice Connect(NetworkNamespace space, string ipv4, string ipv6)
    {
        TapDevice device = TapDevice.Open(new TapOptions());
        string ip = Requirement.Program("ip", "iproute2");
        ExternalProgram.Run(ip, ["link", "set", device.Name, "netns", space.Name]).EnsureSuccess();
        space.AddAddress(device.Name, ipv4);
        space.AddAddress(device.Name, ipv6);
        space.Ip($"link set {device.Name} up");
        return device;
    }
}
