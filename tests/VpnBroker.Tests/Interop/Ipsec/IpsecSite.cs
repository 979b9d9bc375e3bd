using System.Security.Cryptography;
using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>The broker's own program with a TUN interface, and strongSwan with a web server behind it.</summary>
/// <remarks>
/// <code>
///  broker: TUN 10.77.0.1, 10.99.0.1 ── veth: IKE, ESP in UDP ── 10.99.0.2, 10.55.0.1: strongSwan, HTTP
/// </code>
/// </remarks>
internal sealed class IpsecSite : IDisposable
{
    private const string Secret = "a secret of more than sixteen bytes";

    private const string Port =
        "dpdk: {memory: ordinaryPages, megabytes: 128, ports: [{name: wan, device: \"net_af_packet0,iface=eth0\", role: outside, addresses: [10.99.0.1/24], exceptionTap: wan0}]}";

    private readonly TemporaryDirectory _here = new(), _web = new();
    private ExternalProgram? _server;

    /// <summary>Starts both sides.</summary>
    /// <param name="brokerPeer">Further lines of the broker's peer.</param>
    /// <param name="brokerChild">Further keys of its child.</param>
    /// <param name="swanConnection">Further lines of strongSwan's connection.</param>
    /// <param name="swanChild">Further lines of its child.</param>
    /// <param name="dpdk">Whether the broker's outer side is a DPDK port, with the kernel's share behind an exception interface.</param>
    /// <param name="swanEsp">strongSwan's proposal for ESP.</param>
    /// <param name="ipv6">Whether the network between them is one of IPv6.</param>
    /// <param name="certificates">Certificates in the place of the pre-shared key; the other side's ends up in strongSwan's directory.</param>
    public IpsecSite(string brokerPeer = "", string brokerChild = "", string swanConnection = "", string swanChild = "", IpsecCertificates? certificates = null, bool dpdk = false,
        string swanEsp = "aes256gcm16", bool ipv6 = false)
    {
        (string brokerOuter, string swanOuter, int prefix) = ipv6 ? ("fd99::1", "fd99::2", 64) : ("10.99.0.1", "10.99.0.2", 24);
        certificates?.WriteBroker(_here.Path);
        string auth = certificates == null ? "psk" : "pubkey";
        string credentials = certificates == null ? "pskFile: psk" : "certificateFile: broker.crt\n      keyFile: broker.key\n      trustFiles: [ca.crt]";
        Requirement.Tun();
        if (dpdk)
            ConnectPort();
        else
            BrokerPlace.Connect(Peer, "eth0", $"{brokerOuter}/{prefix}", "eth0", $"{swanOuter}/{prefix}");
        Peer.AddAddress("lo", "10.55.0.1/32");
        File.WriteAllText(_here.File("psk"), Secret + "\n");
        File.SetUnixFileMode(_here.File("psk"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(_here.File("broker.yaml"), $$"""
            lcores: {count: 1, idle: adaptive}
            {{(dpdk ? Port : "")}}
            tun: {name: tun0, addresses: [10.77.0.1/24], mtu: 1380, routes: [10.77.0.0/24], kernelRoutes: [10.55.0.0/24]}
            ipsec:
              listen: ["{{brokerOuter}}"]
              peers:
                - name: swan
                  remote: "{{swanOuter}}"
                  localId: broker.test
                  remoteId: swan.test
                  {{credentials}}
                  mtu: 1380
                  {{brokerPeer}}
                  children:
                    - {name: net, local: [10.77.0.0/24], remote: [10.55.0.0/24]{{brokerChild}}}
            control: {socket: b.sock}
            log: {auditFile: audit.log}
            """);
        Swan = new StrongSwan(Peer, $$"""
            connections {
              broker {
                version = 2
                local_addrs = {{swanOuter}}
                remote_addrs = {{brokerOuter}}
                encap = yes
                mobike = no
                proposals = aes256gcm16-prfsha384-x25519
                {{swanConnection}}
                local {
                  auth = {{auth}}
                  {{(certificates == null ? "" : "certs = swan.crt")}}
                  id = swan.test
                }
                remote {
                  auth = {{auth}}
                  id = broker.test
                }
                children {
                  net {
                    local_ts = 10.55.0.0/24
                    remote_ts = 10.77.0.0/24
                    esp_proposals = {{swanEsp}}
                    {{swanChild}}
                  }
                }
              }
            }
            secrets {
              ike-broker {
                id-1 = swan.test
                id-2 = broker.test
                secret = "{{Secret}}"
              }
            }
            """, certificates == null ? null : certificates.WriteSwan);
        Process = BrokerProcess.Start(BrokerPlace, _here);
    }

    public NetworkNamespace BrokerPlace { get; } = new("ipsecbroker");

    public NetworkNamespace Peer { get; } = new("ipsecpeer");

    public StrongSwan Swan { get; }

    public BrokerProcess Process { get; }

    public string Audit => File.ReadAllText(_here.File("audit.log"));

    /// <summary>The broker's IKE SAs, as its status has them.</summary>
    public JsonElement Ipsec => Process.Status().GetProperty("ipsec");

    public bool IsUp => Ipsec.EnumerateArray().Any(sa => sa.GetProperty("state").GetString() == "established" && sa.GetProperty("children").GetArrayLength() > 0);

    /// <summary>Runs <c>broker ipsec …</c>.</summary>
    public ProgramResult Command(string command) => BrokerProcess.Run(_here, $"ipsec {command}");

    /// <summary>Packets that the broker has dropped for a reason that has to do with SAs and their routes.</summary>
    public ulong Drops => Process.Status().GetProperty("lcores").EnumerateArray().SelectMany(lcore => lcore.GetProperty("drops").EnumerateObject())
        .Where(drop => drop.Name.StartsWith("esp-", StringComparison.Ordinal) || drop.Name is "no-route" or "no-port" or "selectors")
        .Aggregate(0UL, (sum, drop) => sum + drop.Value.GetUInt64());

    /// <summary>Starts pings through the tunnel, 100 a second.</summary>
    public ExternalProgram StartPing(int count) =>
        BrokerPlace.Start(Requirement.Program("ping", "iputils-ping"), ["-I", "10.77.0.1", "-i", "0.01", "-W", "5", "-q", "-c", $"{count}", "10.55.0.1"]);

    /// <summary>Loads a file from behind strongSwan and compares it.</summary>
    public void Download(int bytes)
    {
        byte[] content = RandomNumberGenerator.GetBytes(bytes);
        File.WriteAllBytes(_web.File("file"), content);
        if (_server == null)
        {
            _server = Peer.Start(Requirement.Program("/usr/bin/python3", "python3"), ["-u", "-m", "http.server", "80", "--bind", "10.55.0.1", "--directory", _web.Path]);
            _server.WaitForOutput("Serving HTTP");
        }
        BrokerPlace.Run(Requirement.Program("curl"), ["-sS", "--fail", "--max-time", "60", "--interface", "10.77.0.1", "-o", _here.File("file"), "http://10.55.0.1/file"],
            timeout: TimeSpan.FromSeconds(90)).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(_here.File("file"))), "the file came as it was sent");
    }

    /// <summary>What both sides have said, for a test that fails.</summary>
    public string Logs => $"--- broker\n{Process.Program.AllOutput}\n--- strongSwan\n{Swan.Log}";

    /// <summary>Packets that came to the DPDK port, and frames of it that went to the kernel.</summary>
    public (ulong Esp, ulong ToKernel) PortCounters()
    {
        JsonElement port = Process.Status().GetProperty("ports").EnumerateArray()
            .Single(port => port.GetProperty("traffic").GetProperty("name").GetString() == "dpdk:wan" && port.GetProperty("lcore").ValueKind == JsonValueKind.Number);
        return (port.GetProperty("traffic").GetProperty("receivedPackets").GetUInt64(), port.GetProperty("counters").GetProperty("frames-to-kernel").GetUInt64());
    }

    /// <summary>A wire whose near end is a DPDK device, from which the kernel is kept off.</summary>
    private void ConnectPort()
    {
        string ethtool = Requirement.Program("ethtool");
        Requirement.That(File.Exists(Path.Combine(AppContext.BaseDirectory, "libcryptoplane_dpdk.so")), "DPDK is missing: run eng/install-deps.sh dpdk, then eng/build-native.sh");
        BrokerPlace.Ip($"link add eth0 type veth peer name eth0 netns {Peer.Name}");
        BrokerPlace.Run("/sbin/sysctl", ["-q", "-w", "net.ipv6.conf.eth0.disable_ipv6=1", "net.ipv4.conf.eth0.rp_filter=1"]).EnsureSuccess();
        BrokerPlace.Ip("link set eth0 arp off up");
        // Checksums and segments are to be on the wire as on a real one.
        Peer.Run(ethtool, ["-K", "eth0", "tx", "off", "gso", "off", "tso", "off"]).EnsureSuccess();
        Peer.AddAddress("eth0", "10.99.0.2/24");
        Peer.Ip("link set eth0 up");
    }

    public void Dispose()
    {
        _server?.Dispose();
        Process?.Dispose();
        Swan?.Dispose();
        BrokerPlace.Dispose();
        Peer.Dispose();
        _here.Dispose();
        _web.Dispose();
    }
}
