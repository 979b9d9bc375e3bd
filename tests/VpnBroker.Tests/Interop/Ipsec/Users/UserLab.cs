using System.Text.Json;
using CryptoPlane.TestKit;

namespace VpnBroker.Tests.Interop.Ipsec.Users;

/// <summary>The broker's own program with remote users by IKEv2, its TUN interface, and an IPsec gateway.</summary>
/// <remarks>
/// <code>
///  device N, 10.98.N.2 ── 10.98.N.1: broker's place, 10.99.0.1 on lo: IKE, ESP in UDP; TUN 10.77.0.1 with a web server
///  gateway, 10.97.0.2, 10.55.0.1 ── 10.97.0.1
/// </code>
/// </remarks>
internal sealed class UserLab : IDisposable
{
    public const string Inside = "10.77.0.1", GatewayInside = "10.55.0.1", Password = "correct horse";

    private readonly TemporaryDirectory _here = new(), _web = new();
    private readonly NetworkNamespace _place = new("usersbroker");
    private readonly IpsecCertificates _certificates = new();
    private readonly List<UserClient> _clients = [];
    private NetworkNamespace? _gatewayPlace;
    private StrongSwan? _gateway;
    private ExternalProgram? _server;

    /// <summary>Makes the network and starts the broker, whose users alice, bob and swan.test have the same password.</summary>
    /// <param name="remoteAccess">Further keys of <c>remoteAccess</c>.</param>
    /// <param name="sections">Further sections of the configuration.</param>
    public UserLab(string remoteAccess = "", string sections = "")
    {
        Requirement.Tun();
        Requirement.That(File.Exists("/usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so"),
            "strongSwan's plugin eap-mschapv2 is missing: install it with 'apt-get install libcharon-extauth-plugins'");
        _place.AddAddress("lo", "10.99.0.1/32");
        _place.Run(Requirement.Program("sysctl", "procps"), ["-qw", "net.ipv6.conf.default.disable_ipv6=1"]).EnsureSuccess();
        _certificates.WriteBroker(_here.Path);
        File.WriteAllText(_here.File("psk"), "a secret of more than sixteen bytes\n");
        File.SetUnixFileMode(_here.File("psk"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(_here.File("broker.yaml"), $$"""
            lcores: {count: 2, idle: adaptive}
            tun: {name: tun0, addresses: [10.77.0.1/24], mtu: 1300, routes: [10.77.0.0/24], kernelRoutes: [10.78.0.0/24]}
            pools: [{name: p, ipv4: 10.78.0.0/24}]
            authentication: {usersFile: users, ikeUsersFile: ike-users}
            defaults: {pool: p, mtu: 1300, include: [10.77.0.0/24, 10.55.0.0/24], dns: [10.77.0.53], defaultDomain: corp.test}
            groups: [{name: guests, include: [10.77.0.0/24]}]
            ipsec:
              listen: [10.99.0.1]
              remoteAccess: {localId: broker.test, certificateFile: broker.crt, keyFile: broker.key, userTrustFiles: [ca.crt], dpd: 1s, dpdTimeout: 3s{{remoteAccess}}}
              peers:
                - {name: dc, remote: any, localId: broker.test, remoteId: gw.test, pskFile: psk, mtu: 1300,
                   children: [{name: net, local: [10.77.0.0/24, 10.78.0.0/24], remote: [10.55.0.0/24]}]}
            control: {socket: b.sock}
            log: {auditFile: audit.log}
            {{sections}}
            """);
        foreach (string user in (string[])["alice", "bob --group guests", "swan.test"])
            BrokerProcess.Run(_here, $"user add {user} --ikev2 --iterations 2000", Password + "\n").EnsureSuccess();
        Broker = BrokerProcess.Start(_place, _here);
    }

    public BrokerProcess Broker { get; }

    /// <summary>The sessions that <c>broker status</c> lists.</summary>
    public JsonElement[] Sessions => [.. Broker.Status().GetProperty("users").EnumerateArray()];

    /// <summary>What both sides have said, for a test that fails.</summary>
    public string Logs => $"--- broker\n{Broker.Program.AllOutput}\n--- audit\n{File.ReadAllText(_here.File("audit.log"))}\n"
        + string.Concat(_clients.Select(client => $"--- device {client.Number}\n{client.Swan.Log}\n{client.Place.Ip("addr").Output}{client.Place.Ip("route show table all").Output}\n")) + $"--- gateway\n{_gateway?.Log}";

    /// <summary>A device whose user logs in by password.</summary>
    public UserClient Device(string user, string password = Password, string connection = "", string child = "")
    {
        var client = UserClient.ByPassword(_place, _clients.Count + 1, user, password, _certificates.WriteSwan, connection, child);
        _clients.Add(client);
        return client;
    }

    /// <summary>A device that shows the certificate of swan.test.</summary>
    public UserClient DeviceWithCertificate()
    {
        var client = new UserClient(_place, _clients.Count + 1, "auth = pubkey\n certs = swan.crt\n id = swan.test", "", _certificates.WriteSwan);
        _clients.Add(client);
        return client;
    }

    /// <summary>Takes a device from its network to another one, where it is 10.96.N.2.</summary>
    public void ChangeNetwork(UserClient client)
    {
        _place.Connect(client.Place, $"alt{client.Number}", $"10.96.{client.Number}.1/24", "eth1", $"10.96.{client.Number}.2/24");
        client.Place.Ip($"route replace 10.99.0.1 via 10.96.{client.Number}.1");
        client.Place.Ip("link set eth0 down");
    }

    /// <summary>Runs a command of the broker.</summary>
    public ProgramResult Command(string command) => BrokerProcess.Run(_here, command);

    /// <summary>The audit log's records of an event.</summary>
    public JsonElement[] Audit(string name) =>
    [
        .. File.ReadAllLines(_here.File("audit.log")).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(record => record.GetProperty("event").GetString() == name),
    ];

    /// <summary>Starts the gateway, which brings its tunnel up.</summary>
    public void StartGateway()
    {
        _gatewayPlace = new NetworkNamespace("usersgw");
        _place.Connect(_gatewayPlace, "gw", "10.97.0.1/24", "eth0", "10.97.0.2/24");
        _gatewayPlace.Ip("route add 10.99.0.1 via 10.97.0.1");
        _gatewayPlace.AddAddress("lo", $"{GatewayInside}/32");
        _gateway = new StrongSwan(_gatewayPlace, """
            connections { broker {
              version = 2
              local_addrs = 10.97.0.2
              remote_addrs = 10.99.0.1
              encap = yes
              proposals = aes256gcm16-prfsha384-x25519
              local { auth = psk
                id = gw.test }
              remote { auth = psk
                id = broker.test }
              children { net {
                local_ts = 10.55.0.0/24
                remote_ts = 10.77.0.0/24,10.78.0.0/24
                esp_proposals = aes256gcm16 } } } }
            secrets { ike-x { id-1 = gw.test
              id-2 = broker.test
              secret = "a secret of more than sixteen bytes" } }
            """);
        _gateway.Swanctl("--initiate", "--child", "net");
    }

    /// <summary>Loads a file from the server behind the TUN interface, and compares it.</summary>
    public void Download(UserClient client, int bytes)
    {
        byte[] content = System.Security.Cryptography.RandomNumberGenerator.GetBytes(bytes);
        File.WriteAllBytes(_web.File("file"), content);
        if (_server is null)
        {
            _server = _place.Start(Requirement.Program("/usr/bin/python3", "python3"), ["-u", "-m", "http.server", "80", "--bind", Inside, "--directory", _web.Path]);
            _server.WaitForOutput("Serving HTTP");
        }
        client.Place.Run(Requirement.Program("curl"), ["-sS", "--fail", "--max-time", "60", "-o", _here.File("file"), $"http://{Inside}/file"], timeout: TimeSpan.FromSeconds(90)).EnsureSuccess();
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(_here.File("file"))), "the file came as it was sent");
    }

    /// <summary>Whether a device gets an answer of the server behind the TUN interface, which <see cref="Download"/> has started.</summary>
    public static bool MayDownload(UserClient client) =>
        client.Place.Run(Requirement.Program("curl"), ["-sS", "--max-time", "2", "-o", "/dev/null", $"http://{Inside}/file"]).ExitCode == 0;

    /// <summary>Puts what all have logged behind the message of a failure.</summary>
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
        _server?.Dispose();
        _clients.ForEach(client => client.Dispose());
        _gateway?.Dispose();
        _gatewayPlace?.Dispose();
        Broker?.Dispose();
        _place.Dispose();
        _here.Dispose();
        _web.Dispose();
    }
}
