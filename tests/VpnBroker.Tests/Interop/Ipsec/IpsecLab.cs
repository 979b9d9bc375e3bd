using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>The broker, and strongSwan gateways with the same network behind them, with a router between.</summary>
/// <remarks>
/// <code>
///  broker: TUN 10.77.0.1, 10.99.0.1 ── 10.99.0.254: router, nftables: 10.98.N.254 ── 10.98.N.2: gateway N, 10.55.0.1
/// </code>
/// </remarks>
internal sealed partial class IpsecLab : IDisposable
{
    public const string BrokerInside = "10.77.0.1", GatewayInside = "10.55.0.1";

    private const string Secret = "a secret of more than sixteen bytes";

    private readonly TemporaryDirectory _here = new();
    private readonly NetworkNamespace _brokerPlace = new("labbroker"), _router = new("labrouter");
    private readonly List<Gateway> _gateways = [];

    /// <summary>Makes the network and starts both sides.</summary>
    /// <param name="peers">Further lines of each of the broker's peers, named gw1, gw2, …</param>
    /// <param name="child">Further keys of their children.</param>
    /// <param name="behindNat">Whether the router hides the gateways behind its own address.</param>
    /// <param name="swanConnection">Further lines of the gateways' connections.</param>
    /// <param name="swanChild">Further lines of their children.</param>
    /// <param name="swanSettings">Further settings of their daemons.</param>
    public IpsecLab(string[] peers, string child = "", bool behindNat = false, string swanConnection = "", string swanChild = "", string swanSettings = "")
    {
        Requirement.Tun();
        _brokerPlace.Connect(_router, "eth0", "10.99.0.1/24", "broker", "10.99.0.254/24");
        // A datagram of ESP each is to come to the router's rules, not as many as the broker hands to the kernel at a time.
        _brokerPlace.Run(Requirement.Program("ethtool"), ["-K", "eth0", "gso", "off", "tx-udp-segmentation", "off"]).EnsureSuccess();
        _brokerPlace.Ip("route add default via 10.99.0.254");
        string sysctl = Requirement.Program("sysctl", "procps");
        _router.Run(sysctl, ["-qw", "net.ipv4.ip_forward=1"]).EnsureSuccess();
        // Else the kernel looks for IPv6 routers on the TUN interface, which the broker drops and counts.
        _brokerPlace.Run(sysctl, ["-qw", "net.ipv6.conf.default.disable_ipv6=1"]).EnsureSuccess();
        File.WriteAllText(_here.File("psk"), Secret + "\n");
        File.SetUnixFileMode(_here.File("psk"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string list = "";
        for (int n = 1; n <= peers.Length; n++)
        {
            _gateways.Add(new Gateway(_router, n, SwanConfiguration(n, swanConnection, swanChild), swanSettings));
            list += $$"""

                    - name: gw{{n}}
                      remote: {{(behindNat ? "10.99.0.254" : $"10.98.{n}.2")}}
                      localId: broker.test
                      remoteId: gw{{n}}.test
                      pskFile: psk
                      mtu: 1380
                      {{peers[n - 1].Replace("\n", "\n      ", StringComparison.Ordinal)}}
                      children:
                        - {name: net, local: [10.77.0.0/24], remote: [10.55.0.0/24]{{child}}}
                """;
        }
        File.WriteAllText(_here.File("broker.yaml"), $$"""
            lcores: {count: 1, idle: adaptive}
            tun: {name: tun0, addresses: [10.77.0.1/24], mtu: 1380, routes: [10.77.0.0/24], kernelRoutes: [10.55.0.0/24]}
            ipsec:
              listen: [10.99.0.1]
              peers:{{list}}
            control: {socket: b.sock}
            log: {auditFile: audit.log}
            """);
        Broker = BrokerProcess.Start(_brokerPlace, _here);
        _gateways.ForEach(gateway => gateway.Start());
    }

    public BrokerProcess Broker { get; private set; }

    public IReadOnlyList<Gateway> Gateways => _gateways;

    /// <summary>What <c>broker ipsec list</c> prints.</summary>
    public string List => Command("list").EnsureSuccess().Output;

    /// <summary>Pairs of ESP SAs that the broker has made.</summary>
    public int ChildrenMade => Count(": SPI in ");

    /// <summary>What both sides have said, for a test that fails.</summary>
    public string Logs =>
        $"--- broker\n{Broker.Program.AllOutput}\n{string.Concat(_gateways.Select(gateway => $"--- {gateway.Name}\n{gateway.Log}\n"))}--- router\n{_router.Run("nft", ["list", "ruleset"]).Output}";

    /// <summary>Runs <c>broker ipsec …</c>.</summary>
    public ProgramResult Command(string command) => BrokerProcess.Run(_here, $"ipsec {command}");

    /// <summary>The states of a peer's IKE SAs that the broker has.</summary>
    public string[] StatesOf(string peer) =>
        [.. Broker.Status().GetProperty("ipsec").EnumerateArray().Where(sa => sa.GetProperty("peer").GetString() == peer).Select(sa => sa.GetProperty("state").GetString()!)];

    /// <summary>Of a peer, the pairs of SAs that <c>broker ipsec list</c> shows, and those that lcores have.</summary>
    public (int Listed, int OfLcores) PairsOf(string peer)
    {
        int ofLcores = Broker.Status().GetProperty("esp").EnumerateArray().Count(pair => pair.GetProperty("tunnel").GetString()!.StartsWith($"{peer}/", StringComparison.Ordinal));
        return (List.Split('\n').Count(line => line.StartsWith($"{peer}/", StringComparison.Ordinal)), ofLcores);
    }

    /// <summary>Whether a packet goes through the tunnel and back.</summary>
    public bool Answers(bool fromGateway = false)
    {
        string ping = Requirement.Program("ping", "iputils-ping");
        return (fromGateway
            ? _gateways[0].Place.Run(ping, ["-I", GatewayInside, "-W", "1", "-q", "-c", "1", BrokerInside])
            : _brokerPlace.Run(ping, ["-I", BrokerInside, "-W", "1", "-q", "-c", "1", GatewayInside])).ExitCode == 0;
    }

    /// <summary>Kills the broker, and starts it again.</summary>
    public void RestartBroker()
    {
        Broker.Program.Signal(ExternalProgram.SigKill);
        Broker.Program.WaitForExit();
        Broker = BrokerProcess.Start(_brokerPlace, _here);
    }

    /// <summary>Gives the router other rules.</summary>
    public void Route(string rules) =>
        _router.Run(Requirement.Program("nft", "nftables"), ["-f", "-"], $"table ip lab\ndelete table ip lab\ntable ip lab {{\n{rules}\n}}\n").EnsureSuccess();

    /// <summary>Makes the router forget its translations: with the device it loses those that go out of it.</summary>
    public void ForgetTranslations()
    {
        _router.Ip("link set broker down");
        _router.Ip("link set broker up");
    }

    /// <summary>Puts what both sides have logged behind the message of a failure.</summary>
    public void Explained(Action test)
    {
        try
        {
            test();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Logs}", e);
        }
    }

    public void Dispose()
    {
        Broker?.Dispose();
        _gateways.ForEach(gateway => gateway.Dispose());
        _router.Dispose();
        _brokerPlace.Dispose();
        _here.Dispose();
    }

    private int Count(string text) => Broker.Program.AllOutput.Split(text).Length - 1;

    private static string SwanConfiguration(int n, string connection, string child) => $$"""
        connections {
          broker {
            version = 2
            local_addrs = 10.98.{{n}}.2
            remote_addrs = 10.99.0.1
            encap = yes
            mobike = no
            proposals = aes256gcm16-prfsha384-x25519
            {{connection}}
            local {
              auth = psk
              id = gw{{n}}.test
            }
            remote {
              auth = psk
              id = broker.test
            }
            children {
              net {
                local_ts = 10.55.0.0/24
                remote_ts = 10.77.0.0/24
                esp_proposals = aes256gcm16
                {{child}}
              }
            }
          }
        }
        secrets {
          ike-broker {
            id-1 = gw{{n}}.test
            id-2 = broker.test
            secret = "{{Secret}}"
          }
        }
        """;
}
