using CryptoPlane.IO.Ethernet;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests.Ethernet;

/// <summary>Ports against Linux as the other station of the link, and as the kernel behind the port.</summary>
public sealed class EthernetKernelTests
{
    private const string Mac = "02-00-00-84-00-01", OtherMac = "02-00-00-84-00-02";

    [Theory]
    [InlineData("10.84.20.1", "10.84.20.2/24", "10.84.20.1/24")]
    [InlineData("fd84:20::1", "fd84:20::2/64", "fd84:20::1/64")]
    public void The_kernel_finds_us_and_we_answer_its_echo_requests(string own, string kernel, string port)
    {
        Start();
        using var space = new NetworkNamespace("peer");
        using TapDevice link = EthernetLoop.Device(space, null, kernel);
        using var loop = new EthernetLoop();
        EthernetIpPort ours = loop.Add(link, EthernetLoop.Options(Mac, EthernetRole.Outside, [port]));

        foreach (string size in (string[])["0", "56", "1400"])
            Ping(loop, space, own, size);
        string known = space.Ip($"neigh show {own}").Output;
        Assert.Contains("02:00:00:84:00:01", known, StringComparison.Ordinal);
        Assert.True(ours.ReadCounters().Answered >= 10);
    }

    [Fact]
    public void An_announcement_moves_our_address_in_the_kernels_table()
    {
        Start();
        using var space = new NetworkNamespace("peer");
        using TapDevice link = EthernetLoop.Device(space, null, "10.84.21.2/24", "fd84:21::2/64");
        foreach (string own in (string[])["10.84.21.1", "fd84:21::1"])
            space.Ip($"neigh add {own} lladdr 02:00:00:00:00:77 dev {link.Name} nud stale");
        using var loop = new EthernetLoop();
        EthernetIpPort port = loop.Add(link, EthernetLoop.Options(Mac, EthernetRole.Outside, ["10.84.21.1/24", "fd84:21::1/64"]));
        port.Announce();
        foreach (string own in (string[])["10.84.21.1", "fd84:21::1"])
            loop.RunUntil(() => space.Ip($"neigh show {own}").Output.Contains("02:00:00:84:00:01", StringComparison.Ordinal), $"the kernel's new neighbour {own}");
    }

    [Fact]
    public void Two_ports_route_between_two_kernels_and_find_them_and_what_is_behind()
    {
        Start();
        using var leftSpace = new NetworkNamespace("left");
        using var rightSpace = new NetworkNamespace("right");
        using TapDevice left = EthernetLoop.Device(leftSpace, null, "10.84.22.2/24", "fd84:22::2/64");
        using TapDevice right = EthernetLoop.Device(rightSpace, null, "10.84.23.2/24", "fd84:23::2/64");
        leftSpace.Ip("route add default via 10.84.22.1");
        leftSpace.Ip("-6 route add default via fd84:22::1");
        rightSpace.Ip("route add default via 10.84.23.1");
        rightSpace.Ip("-6 route add default via fd84:23::1");
        // Behind the kernel on the right, which is our gateway there.
        rightSpace.AddAddress("lo", "192.0.2.1/32");
        rightSpace.AddAddress("lo", "2001:db8:84::1/128");
        using var loop = new EthernetLoop();
        EthernetIpPort[] ports = [
            loop.Add(left, EthernetLoop.Options(Mac, EthernetRole.Inside, ["10.84.22.1/24", "fd84:22::1/64"])),
            loop.Add(right, EthernetLoop.Options(OtherMac, EthernetRole.Inside, ["10.84.23.1/24", "fd84:23::1/64"], "10.84.23.2", "fd84:23::2")),
        ];

        foreach (string far in (string[])["10.84.23.2", "fd84:23::2", "192.0.2.1", "2001:db8:84::1"])
            Ping(loop, leftSpace, far, "1200");
        foreach (EthernetIpPort port in ports)
        {
            EthernetCounters counters = port.ReadCounters();
            Assert.True(counters.ReceivedPackets >= 12);
            Assert.Equal(2, port.NeighbourCount);
            Assert.Equal(0, counters[EthernetDrop.Unresolved] + counters[EthernetDrop.NeighbourQueueFull] + counters[EthernetDrop.Checksum]);
        }
        // On the right nobody had asked for us: packets waited until the kernel answered.
        Assert.True(ports[1].ReadCounters().Waited >= 2);
    }

    [Theory]
    [InlineData("10.84.24.2", true)]
    [InlineData("10.84.24.2", false)]
    [InlineData("fd84:24::2", true)]
    [InlineData("fd84:24::2", false)]
    public void A_neighbour_that_changes_its_address_is_followed(string neighbour, bool tells)
    {
        Start();
        bool isV6 = neighbour.Contains(':');
        using var space = new NetworkNamespace("peer");
        using TapDevice link = EthernetLoop.Device(space, "02-00-00-84-00-22", isV6 ? $"{neighbour}/64" : $"{neighbour}/24");
        string setting = isV6 ? $"/proc/sys/net/ipv6/conf/{link.Name}/ndisc_notify" : $"/proc/sys/net/ipv4/conf/{link.Name}/arp_notify";
        space.Run("/bin/sh", ["-c", $"echo {(tells ? 1 : 0)} > {setting}"]).EnsureSuccess();
        using var loop = new EthernetLoop();
        string own = isV6 ? "fd84:24::1" : "10.84.24.1";
        EthernetIpPort port = loop.Add(link, EthernetLoop.Options(Mac, EthernetRole.Inside, [isV6 ? $"{own}/64" : $"{own}/24"]));
        // An echo request from behind us, so that the answer comes to us as a packet.
        string behind = isV6 ? "2001:db8:99::7" : "198.51.100.7";
        space.Ip(isV6 ? $"-6 route add {behind}/128 via {own}" : $"route add {behind}/32 via {own}");

        bool Answers()
        {
            loop.Kept.Clear();
            loop.Send(port, FrameForge.Echo(behind, neighbour, 40));
            int turns = 0;
            loop.RunUntil(() => loop.Kept.Count > 0 || ++turns == 15, "an answer or some time without one");
            return loop.Kept.Count > 0;
        }

        Eventually.True(Answers, "the neighbour's first answer");
        space.Ip($"link set {link.Name} address 02:00:00:84:00:33");
        if (tells)
        {
            // No time passes that would make us ask.
            Eventually.True(Answers, "an answer from the address that the kernel announced");
            return;
        }
        Assert.False(Answers());
        // Its time is over: it is asked where it was, and then everyone is.
        loop.Skip(TimeSpan.FromSeconds(31));
        Eventually.True(
            () =>
            {
                bool answers = Answers();
                loop.Skip(TimeSpan.FromSeconds(1));
                return answers;
            },
            "the new address of the neighbour");
    }

    [Fact]
    public void The_kernel_behind_has_all_but_the_tunnels()
    {
        Start();
        string curl = Requirement.Program("curl");
        string python = Requirement.Program("/usr/bin/python3", "python3");
        using var peer = new NetworkNamespace("peer");
        using var own = new NetworkNamespace("own");
        using TapDevice link = EthernetLoop.Device(peer, OtherMac, "10.84.25.2/24", "fd84:25::2/64");
        using TapDevice exception = EthernetLoop.Device(own, Mac, "10.84.25.1/24", "fd84:25::1/64");
        using var loop = new EthernetLoop();
        EthernetIpPort port = loop.Add(link, EthernetLoop.Options(Mac, EthernetRole.Outside, ["10.84.25.1/24", "fd84:25::1/64"]), exception);

        using var directory = new TemporaryDirectory();
        byte[] content = new byte[300_000];
        new Random(84).NextBytes(content);
        File.WriteAllBytes(directory.File("content"), content);
        using ExternalProgram server = own.Start(python, ["-u", "-m", "http.server", "--bind", "::", "--directory", directory.Path, "8085"]);
        server.WaitForOutput("Serving HTTP");
        foreach (string host in (string[])["10.84.25.1", "[fd84:25::1]"])
        {
            Ping(loop, peer, host.Trim('[', ']'), "56");
            loop.Run(peer, curl, "-sS", "-g", "--fail", "-m", "40", "-o", directory.File("copy"), $"http://{host}:8085/content").EnsureSuccess();
            Assert.Equal(content, File.ReadAllBytes(directory.File("copy")));
        }
        Assert.Empty(loop.Kept);
        Assert.Equal(0, port.ReadCounters().OwnMessages);

        // A tunnel's packets are the lcore's; it finds the peer by itself, whatever the kernel knows.
        const string send = "import socket,sys; f=socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET; "
            + "socket.socket(f,socket.SOCK_RAW,50).sendto(b'\\0\\0\\1\\1'+b'x'*60,(sys.argv[1],0)); "
            + "socket.socket(f,socket.SOCK_DGRAM).sendto(b'\\0\\0\\1\\1'+b'y'*60,(sys.argv[1],4500)); "
            + "socket.socket(f,socket.SOCK_DGRAM).sendto(b'\\0\\0\\0\\0'+b'z'*60,(sys.argv[1],4500))";
        long before = port.ReadCounters().ToException;
        loop.Run(peer, python, "-c", send, "10.84.25.1").EnsureSuccess();
        loop.Run(peer, python, "-c", send, "fd84:25::1").EnsureSuccess();
        loop.RunUntil(() => loop.Kept.Count == 4 && port.ReadCounters().ToException >= before + 2, "four packets of tunnels, and two of IKE");
        Assert.Equal("xyxy", string.Concat(loop.Kept.Select(packet => (char)packet[^1])));

        foreach ((string from, string to) in ((string, string)[])[("10.84.25.1", "10.84.25.2"), ("fd84:25::1", "fd84:25::2")])
        {
            using ExternalProgram listener = peer.Start(python, ["-u", "-c",
                "import socket,sys; s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,socket.SOCK_RAW,50); print('ready'); print(len(s.recv(2000)))", to]);
            listener.WaitForOutput("ready");
            byte[] esp = FrameForge.EspPacket(100);
            loop.Send(port, from.Contains(':') ? FrameForge.IPv6(from, to, FrameForge.Esp, esp) : FrameForge.IPv4(from, to, FrameForge.Esp, esp));
            loop.RunUntil(() => listener.HasExited, "the peer's end of the tunnel");
            Assert.Contains(from.Contains(':') ? "108" : "128", listener.WaitForExit().EnsureSuccess().Output, StringComparison.Ordinal);
        }
    }

    private static void Start()
    {
        Requirement.Tun();
        Requirement.Program("ping", "iputils-ping");
    }

    /// <summary>
    /// Three echo requests that are all answered, the first included. Each is a program's only one: 'ping' waits for the last of several no
    /// longer than for those before, which is too short on a busy machine.
    /// </summary>
    private static void Ping(EthernetLoop loop, NetworkNamespace space, string address, string size)
    {
        for (int i = 0; i < 3; i++)
            loop.Run(space, "ping", "-c", "1", "-W", "20", "-s", size, address).EnsureSuccess();
    }
}
