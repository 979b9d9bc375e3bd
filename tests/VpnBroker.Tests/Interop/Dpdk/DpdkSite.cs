using System.Globalization;
using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Dpdk;

/// <summary>
/// The broker's own program on two DPDK ports, with a host behind the inside one and another broker, on the kernel's ports, behind its ESP
/// tunnel. A program on the host sends numbered datagrams to an echo server behind that other broker, and counts the answers.
/// </summary>
/// <remarks>
/// <code>
///  centre            broker                                                     peer
///  10.30.0.2 ─ veth ─ DPDK lan 10.30.0.1, DPDK wan 10.98.0.1 ─ veth, ESP ─ 10.98.0.2, TUN 10.40.0.1: echo
/// </code>
/// </remarks>
internal sealed class DpdkSite : IDisposable
{
    private const string Echo = """
        import socket
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind(('0.0.0.0', 7777))
        print('ready', flush=True)
        while True:
            data, sender = s.recvfrom(2048)
            try: s.sendto(data, sender)
            except OSError: pass
        """;

    /// <summary>A thousand datagrams per second or fewer; prints how many answers were right.</summary>
    private const string Sender = """
        import socket, time
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setblocking(False)
        number = answers = 0
        while True:
            number += 1
            try: s.sendto(number.to_bytes(8, 'big') + bytes(500), ('10.40.0.1', 7777))
            except OSError: pass
            time.sleep(0.001)
            while True:
                try: data = s.recv(2048)
                except OSError: break
                if len(data) == 508 and 0 < int.from_bytes(data[:8], 'big') <= number and not any(data[8:]):
                    answers += 1
                    if answers % 20 == 0: print(answers, flush=True)
        """;

    private readonly string _python = Requirement.Program("/usr/bin/python3", "python3");
    private readonly TemporaryDirectory _here = new(), _there = new();
    private ExternalProgram? _echo, _sender;

    /// <summary>Starts everything but the sender.</summary>
    /// <param name="idle">The idle policy of the broker's lcore.</param>
    /// <param name="exceptionDevice">The device that the kernel's share goes by; empty for a TAP interface.</param>
    public DpdkSite(string idle, string exceptionDevice = "")
    {
        Requirement.Tun();
        string ethtool = Requirement.Program("ethtool");
        Requirement.That(File.Exists(Path.Combine(AppContext.BaseDirectory, "libcryptoplane_dpdk.so")), "DPDK is missing: run eng/install-deps.sh dpdk, then eng/build-native.sh");
        Place.Ip($"link add eth0 type veth peer name eth0 netns {Peer.Name}");
        Place.Ip($"link add lan0 type veth peer name eth0 netns {Centre.Name}");
        foreach (string device in new[] { "eth0", "lan0" })
        {
            // net_af_packet gets copies: the kernel is kept off.
            Place.Run("/sbin/sysctl", ["-q", "-w", $"net.ipv6.conf.{device}.disable_ipv6=1", $"net.ipv4.conf.{device}.rp_filter=1"]).EnsureSuccess();
            Place.Ip($"link set {device} arp off up");
        }
        foreach ((NetworkNamespace end, string address) in new[] { (Peer, "10.98.0.2/24"), (Centre, "10.30.0.2/24") })
        {
            // Checksums and segments are to be on the wire as on a real one.
            end.Run(ethtool, ["-K", "eth0", "tx", "off", "gso", "off", "tso", "off"]).EnsureSuccess();
            end.AddAddress("eth0", address);
            end.Ip("link set eth0 up");
        }
        Centre.Ip("route add 10.40.0.0/24 via 10.30.0.1");

        Write(_here, idle, local: "10.98.0.1", remote: "10.98.0.2", prefix: "10.40.0.0/24", outbound: 2, inbound: 1, $$"""
            dpdk:
              memory: ordinaryPages
              megabytes: 128
              ports:
                - {name: wan, device: "net_af_packet0,iface=eth0", role: outside, addresses: [10.98.0.1/24], exceptionTap: wan0{{(exceptionDevice.Length == 0 ? "" : $", exceptionDevice: {exceptionDevice}")}}}
                - {name: lan, device: "net_af_packet1,iface=lan0", role: inside, addresses: [10.30.0.1/24], routes: [10.30.0.0/24]}
            """);
        Write(_there, "adaptive", local: "10.98.0.2", remote: "10.98.0.1", prefix: "10.30.0.0/24", outbound: 1, inbound: 2,
            "tun: {name: tun0, addresses: [10.40.0.1/24], kernelRoutes: [10.30.0.0/24]}");
        Broker = BrokerProcess.Start(Place, _here);
        PeerBroker = BrokerProcess.Start(Peer, _there);
        _echo = Peer.Start(_python, ["-c", Echo]);
        _echo.WaitForOutput("ready");
    }

    public NetworkNamespace Place { get; } = new("broker");

    public NetworkNamespace Peer { get; } = new("peer");

    public NetworkNamespace Centre { get; } = new("centre");

    public BrokerProcess Broker { get; }

    public BrokerProcess PeerBroker { get; private set; }

    /// <summary>Answers that have come back so far; each was right.</summary>
    public int Answers
    {
        get
        {
            string[] lines = _sender!.Output.Split('\n');
            return lines.Length < 2 ? 0 : int.Parse(lines[^2], CultureInfo.InvariantCulture);
        }
    }

    /// <summary>Starts the traffic, and waits for answers.</summary>
    public void StartTraffic()
    {
        _sender = Centre.Start(_python, ["-c", Sender]);
        WaitForTraffic("at first");
    }

    /// <summary>Waits until answers come that were not there at the call.</summary>
    public void WaitForTraffic(string when)
    {
        int before = Answers;
        Eventually.True(() => Answers >= before + 100, $"answers {when}", TimeSpan.FromSeconds(60));
    }

    /// <summary>Ends the other broker without notice, and starts it again.</summary>
    public void RestartPeer(Action between)
    {
        PeerBroker.Program.Signal(ExternalProgram.SigKill);
        PeerBroker.Program.WaitForExit();
        between();
        PeerBroker.Dispose();
        PeerBroker = BrokerProcess.Start(Peer, _there);
    }

    /// <summary>One of the broker's ports in its status.</summary>
    public JsonElement Port(string name) => Broker.Status().GetProperty("dpdk").GetProperty("ports").EnumerateArray().Single(port => port.GetProperty("name").GetString() == name);

    /// <summary>Runs <c>broker capture</c> of one of the broker's DPDK ports.</summary>
    /// <returns>What the command said, and its file, which is not there if it failed.</returns>
    public (ProgramResult Result, string File) Capture(string port, int packets)
    {
        string file = _here.File($"{port}.pcapng");
        return (BrokerProcess.Run(_here, $"capture --port dpdk:{port} --packets {packets} --seconds 30 -o {file}"), file);
    }

    /// <summary>Packets that came in by one of the broker's ports.</summary>
    public ulong Received(string port) => Broker.Status().GetProperty("ports").EnumerateArray().Select(one => one.GetProperty("traffic"))
        .Where(traffic => traffic.GetProperty("name").GetString() == port)
        .Aggregate(0UL, (sum, traffic) => sum + traffic.GetProperty("receivedPackets").GetUInt64());

    /// <summary>All that one of the broker's DPDK ports has dropped, in the device and on the lcore.</summary>
    public ulong Drops(string name) => Broker.Status().GetProperty("ports").EnumerateArray()
        .Where(port => port.GetProperty("traffic").GetProperty("name").GetString() == $"dpdk:{name}")
        .SelectMany(port => port.GetProperty("drops").EnumerateObject())
        .Aggregate(0UL, (sum, drop) => sum + drop.Value.GetUInt64());

    public void Dispose()
    {
        _sender?.Dispose();
        _echo?.Dispose();
        PeerBroker?.Dispose();
        Broker?.Dispose();
        Place.Dispose();
        Peer.Dispose();
        Centre.Dispose();
        _here.Dispose();
        _there.Dispose();
    }

    private static void Write(TemporaryDirectory directory, string idle, string local, string remote, string prefix, int outbound, int inbound, string ports)
    {
        File.WriteAllText(directory.File("broker.yaml"), $$"""
            lcores: {count: 1, idle: {{idle}}}
            {{ports}}
            esp:
              insecureStaticKeys: true
              stateFile: esp-state
              tunnels:
                - name: tunnel
                  mode: udp
                  local: {{local}}:4500
                  remote: {{remote}}:4500
                  remotePrefixes: [{{prefix}}]
                  mtu: 1380
                  pairs:
                    - lcore: 0
                      inbound: {{Sa(inbound)}}
                      outbound: {{Sa(outbound)}}
            control: {socket: b.sock}
            """);
        BrokerProcess.Run(directory, "esp init-state").EnsureSuccess();
    }

    private static string Sa(int number) =>
        $"{{spi: 0x0100000{number}, key: 0{number}0102030405060708090a0b0c0d0e0f, salt: 1011121{number}}}";
}
