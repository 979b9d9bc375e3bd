using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.Tests.Interop;

namespace VpnBroker.Tests.Capture;

/// <summary>
/// Two brokers in namespaces of their own, with an ESP tunnel over UDP between them and a TUN interface at each: the gateway's
/// configuration allows decrypted captures, the peer's does not.
/// </summary>
public sealed class CaptureSite : IDisposable
{
    public const string Port = "udp:10.98.0.1:4500";
    public const string GatewayTun = "10.31.0.1", PeerTun = "10.30.0.1";

    /// <summary>Behind the peer, where nobody answers.</summary>
    public const string Silence = "10.30.0.99";

    // Without extended sequence numbers, because tshark cannot check an ICV over the hidden half.
    private const string ToGateway = "{spi: 0x01000001, key: 000102030405060708090a0b0c0d0e0f, salt: 10111213, esn: false}";
    private const string ToPeer = "{spi: 0x01000002, key: 202122232425262728292a2b2c2d2e2f, salt: 30313233, esn: false}";

    private readonly List<IDisposable> _parts = [];
    private readonly TemporaryDirectory _gatewayDirectory = new(), _peerDirectory = new();

    public CaptureSite()
    {
        Requirement.NetworkNamespaces();
        Requirement.Tun();
        Requirement.Program("tshark");
        _parts.AddRange([_gatewayDirectory, _peerDirectory]);
        try
        {
            Gateway = Keep(new NetworkNamespace("gateway"));
            NetworkNamespace peer = Keep(new NetworkNamespace("peer"));
            Gateway.Connect(peer, "v0", "10.98.0.1/24", "v1", "10.98.0.2/24");
            Configure(_gatewayDirectory, "10.98.0.1", "10.98.0.2", GatewayTun, "10.30.0.0/16", ToGateway, ToPeer, "allowed");
            Configure(_peerDirectory, "10.98.0.2", "10.98.0.1", PeerTun, "10.31.0.0/16", ToPeer, ToGateway, "refused");
            Broker = Keep(BrokerProcess.Start(Gateway, _gatewayDirectory));
            Keep(BrokerProcess.Start(peer, _peerDirectory));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the captured broker is.</summary>
    public NetworkNamespace Gateway { get; } = null!;

    /// <summary>The captured broker.</summary>
    internal BrokerProcess Broker { get; } = null!;

    /// <summary>A file in the captured broker's directory.</summary>
    public string PathOf(string file) => _gatewayDirectory.File(file);

    /// <summary>Starts <c>broker capture</c> of the gateway and waits until it runs.</summary>
    public ExternalProgram Capture(params string[] arguments)
    {
        ExternalProgram capture = ExternalProgram.Start(BrokerProcess.Path, ["capture", .. arguments, "--config", PathOf("broker.yaml")]);
        capture.WaitForOutput("capturing ");
        return capture;
    }

    /// <summary>Runs <c>broker capture</c> to its end.</summary>
    /// <param name="peer">Whether the peer is captured, which refuses decrypted captures.</param>
    /// <param name="arguments">Its arguments.</param>
    public ProgramResult TryCapture(bool peer, params string[] arguments) => ExternalProgram.Run(
        BrokerProcess.Path, ["capture", .. arguments, "--config", (peer ? _peerDirectory : _gatewayDirectory).File("broker.yaml")]);

    /// <summary>Sends echo requests from the gateway's TUN address to the peer's, and gets the replies.</summary>
    public void Ping(int count) => Gateway.Run(Requirement.Program("ping", "iputils-ping"),
        ["-c", count.ToString(CultureInfo.InvariantCulture), "-i", "0.05", "-W", "5", "-s", "100", "-I", GatewayTun, PeerTun]).EnsureSuccess();

    /// <summary>Packets that the gateway has sent into its tunnel.</summary>
    public long SentEsp() => Broker.Status().GetProperty("esp")[0].GetProperty("traffic").GetProperty("sentPackets").GetInt64();

    /// <summary>The audit records of captures, newest last.</summary>
    public IReadOnlyList<JsonElement> Audit(bool peer = false) =>
    [
        .. File.ReadAllLines((peer ? _peerDirectory : _gatewayDirectory).File("audit.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.GetProperty("event").GetString() == "capture"),
    ];

    /// <summary>Connects to the gateway's control socket and asks for a capture, in its own words.</summary>
    public Socket Ask(string request)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(PathOf("b.sock")));
        socket.Send([.. System.Text.Encoding.UTF8.GetBytes(request), (byte)'\n']);
        return socket;
    }

    /// <summary>What tshark reads in a file of the gateway: the fields of each packet, separated by bars.</summary>
    /// <param name="file">The file's name.</param>
    /// <param name="decrypt">Whether it gets the tunnel's keys.</param>
    /// <param name="fields">The fields.</param>
    public string[] Tshark(string file, bool decrypt, params string[] fields)
    {
        string Sa(string spi, string key) => $"uat:esp_sa:\"IPv4\",\"*\",\"*\",\"{spi}\",\"AES-GCM with 16 octet ICV [RFC4106]\",\"0x{key}\",\"NULL\",\"\"";
        string[] keys = decrypt
            ? ["-o", "esp.enable_encryption_decode:TRUE", "-o", "esp.enable_authentication_check:TRUE",
                "-o", Sa("0x01000001", "000102030405060708090a0b0c0d0e0f10111213"), "-o", Sa("0x01000002", "202122232425262728292a2b2c2d2e2f30313233")]
            : [];
        // Of fields that occur in the outer and in the inner header the last is asked for.
        ProgramResult result = ExternalProgram.Run(Requirement.Program("tshark"),
            ["-n", "-r", PathOf(file), .. keys, "-T", "fields", "-E", "separator=|", "-E", "occurrence=l", .. fields.SelectMany(field => (string[])["-e", field])]);
        return result.EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public void Dispose()
    {
        _parts.Reverse();
        _parts.ForEach(part => part.Dispose());
    }

    private T Keep<T>(T part) where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }

    private static void Configure(
        TemporaryDirectory directory, string local, string remote, string tun, string network, string inbound, string outbound, string decrypted)
    {
        File.WriteAllText(directory.File("broker.yaml"), $$"""
            lcores: {count: 1, idle: adaptive}
            tun: {name: broker0, addresses: [{{tun}}/16], kernelRoutes: [{{network}}]}
            esp:
              insecureStaticKeys: true
              stateFile: esp-state
              tunnels:
                - {name: office, mode: udp, local: "{{local}}:4500", remote: "{{remote}}:4500", remotePrefixes: [{{network}}],
                   pairs: [{lcore: 0, inbound: {{inbound}}, outbound: {{outbound}}}]}
            control: {socket: b.sock}
            capture: {decrypted: {{decrypted}}}
            log: {auditFile: audit.jsonl}
            """);
        BrokerProcess.Run(directory, "esp init-state").EnsureSuccess();
    }
}
