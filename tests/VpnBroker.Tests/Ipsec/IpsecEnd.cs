using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.Audit;
using VpnBroker.Configuration;
using VpnBroker.DataPlane;
using VpnBroker.Ipsec;
using VpnBroker.Tests.DataPlane;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.Ipsec;

/// <summary>
/// A data plane with IKE, as a broker has them, and users of its own; on an address of the loopback network, or in the namespace of whoever makes it.
/// </summary>
internal sealed class IpsecEnd : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly List<TestUser> _users = [];
    private readonly IkeService _ike;

    /// <summary>Two addresses of the loopback network that no other test has, for a test that may bind port 500; others are skipped.</summary>
    public static (IPAddress Near, IPAddress Far) Addresses()
    {
        Requirement.Root();
        byte[] net = [127, (byte)RandomNumberGenerator.GetInt32(210, 250), (byte)RandomNumberGenerator.GetInt32(1, 250)];
        return (new IPAddress([.. net, 1]), new IPAddress([.. net, 2]));
    }

    /// <summary>Starts an end.</summary>
    /// <param name="own">The own address.</param>
    /// <param name="other">The other end's.</param>
    /// <param name="pool">The users behind this end.</param>
    /// <param name="behind">Those behind the other one.</param>
    /// <param name="lcores">How many lcores.</param>
    /// <param name="start">Whether this end begins.</param>
    /// <param name="perLcore">Whether lcores get SAs of their own.</param>
    /// <param name="change">Changes the peer.</param>
    /// <param name="keyLog">Whether the configuration allows keys to be logged.</param>
    /// <param name="endpointOf">Makes IKE's endpoint, where its times are to be others.</param>
    public IpsecEnd(
        IPAddress own, IPAddress other, string pool, string behind, int lcores = 1, bool start = false, bool perLcore = false, Func<IpsecPeerConfig, IpsecPeerConfig>? change = null,
        bool keyLog = false, Func<IkeEndpointOptions, IIkeEndpoint>? endpointOf = null)
    {
        File.WriteAllText(_directory.File("psk"), "a secret that two brokers share\n");
        var peer = new IpsecPeerConfig
        {
            Name = "other", Remote = new IPNetwork(other, 8 * other.GetAddressBytes().Length), LocalId = IkeIdentity.Address(own), RemoteId = IkeIdentityPattern.Parse(other.ToString()),
            Credentials = new IpsecCredentials { PskFile = _directory.File("psk") }, Start = start, PerLcore = perLcore,
            Children = [new IpsecChildConfig { Name = "net", Local = [IPNetwork.Parse(pool)], Remote = [IPNetwork.Parse(behind)], Proposals = EspSuite.Defaults }],
        };
        peer = change?.Invoke(peer) ?? peer;
        Config = new BrokerConfig
        {
            Listen = new ListenConfig { Endpoints = [new IPEndPoint(IPAddress.Loopback, 4433)] },
            Lcores = new LcoreConfig { Cpus = [.. Enumerable.Repeat(-1, lcores)] },
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse(pool) }],
            Limits = new LimitsConfig { Sessions = 16 },
            Ipsec = new IpsecConfig { Listen = [own], InsecureKeyLog = keyLog, PlainEsp = !peer.ForceEncapsulation, Peers = [peer] },
        };
        DataPlane = DataPlaneHost.Start(Config, [], NullLoggerFactory.Instance);
        var audit = new AuditLog(TimeProvider.System);
        audit.Open(_directory.File("audit"));
        _ike = IkeService.Start(Config, DataPlane, endpointOf ?? (options => new IkeEndpoint(options)), audit, NullLogger.Instance);
    }

    public BrokerConfig Config { get; private set; }

    public DataPlaneHost DataPlane { get; }

    public IkeService Ike => _ike;

    public string Audit => File.ReadAllText(_directory.File("audit"));

    /// <summary>Connects a user.</summary>
    public async Task<TestUser> UserAsync(string address, int lcore = 0)
    {
        var user = new TestUser(_users.Count + 1);
        _users.Add(user);
        await DataPlane.AttachUserAsync(DataPlaneHostTests.RequestOf(user, (ulong)_users.Count, lcore, address));
        return user;
    }

    /// <summary>Applies another configuration, as a reload does.</summary>
    public async Task ApplyAsync(Func<IpsecPeerConfig, IpsecPeerConfig> change)
    {
        Config = Config with { Ipsec = Config.Ipsec! with { Peers = [.. Config.Ipsec.Peers.Select(change)] } };
        await _ike.ApplyAsync(Config);
    }

    /// <summary>The established IKE SAs.</summary>
    public async Task<IReadOnlyList<IkeSaReport>> SasAsync() => [.. (await _ike.ReportAsync()).Sas.Where(sa => sa.State == IkeSaState.Established)];

    /// <summary>The child SAs that are in use.</summary>
    public async Task<IReadOnlyList<ChildSaReport>> ChildrenAsync() => [.. (await SasAsync()).SelectMany(sa => sa.Children).Where(child => !child.IsReplaced)];

    public async ValueTask DisposeAsync()
    {
        await _ike.DisposeAsync();
        await DataPlane.StopAsync(TimeSpan.Zero);
        _users.ForEach(user => user.Dispose());
        _directory.Dispose();
    }
}
