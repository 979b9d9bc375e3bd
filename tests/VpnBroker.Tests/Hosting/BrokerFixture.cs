using System.Net;
using System.Text.Json;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Authentication;
using VpnBroker.Configuration;
using VpnBroker.Esp;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Hosting;

/// <summary>A broker of this process with an <see cref="EchoDataPlane"/>, on a port of the loopback interface, with the user alice.</summary>
internal sealed class BrokerFixture : IAsyncDisposable
{
    public const string User = "alice";
    public const string Password = "correct horse";

    private readonly TemporaryDirectory _directory = new();
    private string? _certificates;

    private BrokerFixture()
    {
    }

    public Broker Broker { get; private set; } = null!;

    public EchoDataPlane DataPlane { get; } = new();

    public int Port { get; } = FreePort.Tcp();

    public string ConfigFile => _directory.File("broker.yaml");

    public string UsersFilePath => _directory.File("users");

    public string UserRoots => _directory.File("users.crt");

    public string AuditFile => _directory.File("audit.jsonl");

    public string ControlSocket => _directory.File("broker.sock");

    public IPEndPoint Endpoint => new(IPAddress.Loopback, Port);

    /// <summary>Starts one.</summary>
    /// <param name="sections">YAML that is added to the configuration.</param>
    /// <param name="pool">A further pool.</param>
    /// <param name="startDataPlane">Starts another data plane than <see cref="DataPlane"/>.</param>
    /// <param name="certificates">Value of the key <c>authentication.certificates</c>, and the roots that its file <c>users.crt</c> is to hold.</param>
    public static async Task<BrokerFixture> StartAsync(
        string sections = "", string? pool = null, DataPlaneFactory? startDataPlane = null, (string Config, string Roots)? certificates = null)
    {
        var fixture = new BrokerFixture();
        if (certificates is { } users)
        {
            fixture._certificates = users.Config;
            await File.WriteAllTextAsync(fixture.UserRoots, users.Roots);
        }
        UsersFile.Set(fixture.UsersFilePath, new UserEntry(User, ["staff"], PasswordHash.Create(Password, 1000)));
        await fixture.WriteConfigAsync(sections, pool);
        BrokerConfig config = ConfigLoader.Load(fixture.ConfigFile);
        if (config.Esp is not null)
            SequenceStateFile.Initialize(config.Esp);
        fixture.Broker = await Broker.StartAsync(fixture.ConfigFile, config, startDataPlane ?? ((_, _, _) => fixture.DataPlane), new LogLevelSwitch(), NullLoggerFactory.Instance, TimeProvider.System);
        return fixture;
    }

    public Task WriteConfigAsync(string sections, string? pool = null) => File.WriteAllTextAsync(ConfigFile, $$"""
        listen: ["127.0.0.1:{{Port}}"]
        certificate: {certificateFile: server.crt, keyFile: server.key, selfSigned: true, names: [localhost]}
        authentication: {usersFile: users{{(_certificates is null ? "" : ", certificates: " + _certificates)}}}
        defaults: {pool: staff, mtu: 1300, include: [10.20.0.0/16], banner: hello}
        pools: [{name: staff, ipv4: 10.77.0.0/24}{{(pool is null ? "" : ", " + pool)}}]
        control: {socket: broker.sock}
        log: {auditFile: audit.jsonl}
        {{sections}}
        """);

    /// <summary>The audit log's records so far.</summary>
    public IReadOnlyList<JsonElement> Audit() => [.. File.ReadAllLines(AuditFile).Select(line => JsonDocument.Parse(line).RootElement)];

    public async ValueTask DisposeAsync()
    {
        await Broker.DisposeAsync();
        _directory.Dispose();
    }
}
