using System.Net;

namespace VpnBroker.Configuration;

/// <summary>
/// The whole configuration of one broker process: an immutable snapshot, checked as a whole before anything uses it.
/// </summary>
/// <remarks>A reload makes a new snapshot; nothing in a snapshot changes after it was made.</remarks>
public sealed record BrokerConfig
{
    /// <summary>Where users connect; null for a broker that only joins ESP tunnels and a TUN port.</summary>
    public ListenConfig? Listen { get; init; }

    /// <summary>Users' data channel over UDP.</summary>
    public DtlsConfig Dtls { get; init; } = new();

    /// <summary>Whether clients are offered a data channel over UDP.</summary>
    public bool OffersDtls => Listen is not null && Dtls.Enabled && Limits.Sessions > 0;

    /// <summary>The server certificate; present when <see cref="Listen"/> is.</summary>
    public CertificateConfig? Certificate { get; init; }

    /// <summary>How users are authenticated; present when there are any.</summary>
    public AuthenticationConfig? Authentication { get; init; }

    /// <summary>What a user gets who is in none of <see cref="Groups"/>; present when there are users.</summary>
    public ProfileConfig? DefaultProfile { get; init; }

    /// <summary>What members of a group get, in the order of the file: a user's first match counts.</summary>
    public IReadOnlyList<GroupConfig> Groups { get; init; } = [];

    /// <summary>The address pools that users get their inner addresses from.</summary>
    public IReadOnlyList<PoolConfig> Pools { get; init; } = [];

    /// <summary>What bounds the work that a stranger can cause.</summary>
    public LimitsConfig Limits { get; init; } = new();

    /// <summary>The data-plane threads.</summary>
    public LcoreConfig Lcores { get; init; } = new();

    /// <summary>DPDK's devices; null when the broker does not use DPDK.</summary>
    public DpdkConfig? Dpdk { get; init; }

    /// <summary>The sessions inside of tunnels.</summary>
    public FlowConfig Flows { get; init; } = new();

    /// <summary>Whether somebody reads the records of sessions.</summary>
    public bool ExportsFlows => Export is not null;

    /// <summary>The TUN port; null when there is none.</summary>
    public TunConfig? Tun { get; init; }

    /// <summary>The ESP tunnels; null when there are none.</summary>
    public EspConfig? Esp { get; init; }

    /// <summary>Traffic management; null when packets wait in no queue of the broker's.</summary>
    public TrafficConfig? Traffic { get; init; }

    /// <summary>IPsec with IKEv2; null when the broker takes no part in it.</summary>
    public IpsecConfig? Ipsec { get; init; }

    /// <summary>Which flows pass; null where all do.</summary>
    public PolicyConfig? Policy { get; init; }

    /// <summary>Whether sessions are kept: where that is wanted, and where a policy or bounds on users' sessions need it.</summary>
    public bool KeepsFlows => Flows.Enabled || Policy is not null || Limits.FlowsPerUser + Limits.NewFlowsPerUser > 0;

    /// <summary>Whether there are users, however they connect.</summary>
    public bool HasUsers => Listen is not null || Ipsec?.RemoteAccess is not null;

    /// <summary>The group whose profile counts for a user: the first of the file that the user is in; null for the defaults.</summary>
    public string? GroupOf(IReadOnlyList<string> groups) => Groups.FirstOrDefault(known => groups.Contains(known.Name))?.Name;

    /// <summary>The profile of a group, or the defaults when the group is null or gone.</summary>
    public ProfileConfig ProfileOf(string? group) => Groups.FirstOrDefault(known => known.Name == group)?.Profile ?? DefaultProfile!;

    /// <summary>The port towards the local network; null when there is none.</summary>
    public LocalNetworkConfig? LocalNetwork
    {
        get
        {
            if (Tun is not null)
                return new LocalNetworkConfig(Tun.Addresses, Tun.Mtu, Tun.Routes);
            EthernetPortConfig? port = Dpdk?.Ports.FirstOrDefault(port => port.Role == PortRole.Inside);
            return port is null ? null : new LocalNetworkConfig(port.Addresses, port.Mtu, port.Routes);
        }
    }

    /// <summary>The DPDK port that carries ESP of a local address, since the address is its own; null for a socket of the kernel.</summary>
    public EthernetPortConfig? CarrierOf(IPAddress local) =>
        Dpdk?.Ports.FirstOrDefault(port => port.Role == PortRole.Outside && port.Addresses.Any(address => address.Address.Equals(local)));

    /// <summary>Where flow records go; null when they go nowhere.</summary>
    public ExportConfig? Export { get; init; }

    /// <summary>The control socket.</summary>
    public ControlConfig Control { get; init; } = new();

    /// <summary>Whether captures may show users' traffic in clear.</summary>
    public bool CaptureDecrypted { get; init; }

    /// <summary>What programs read of the counters.</summary>
    public MetricsConfig Metrics { get; init; } = new();

    /// <summary>The web page for operators; null when there is none.</summary>
    public WebConfig? Web { get; init; }

    /// <summary>The audit log and the structured log.</summary>
    public LogConfig Log { get; init; } = new();
}

/// <summary>Where users connect.</summary>
public sealed record ListenConfig
{
    /// <summary>The TCP endpoints; at least one.</summary>
    public required IReadOnlyList<IPEndPoint> Endpoints { get; init; }
}

/// <summary>The server certificate and its key.</summary>
public sealed record CertificateConfig
{
    /// <summary>PEM file with the certificate and its chain; with <see cref="SelfSigned"/> made on the first start.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>PEM file with the private key, unencrypted, readable by the broker only.</summary>
    public required string KeyFile { get; init; }

    /// <summary>Make a self-signed certificate when the files do not exist.</summary>
    public bool SelfSigned { get; init; }

    /// <summary>The names in a self-signed certificate: DNS names or addresses.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];
}

/// <summary>How users are authenticated.</summary>
public sealed record AuthenticationConfig
{
    /// <summary>The users file (<c>broker user add</c> writes it).</summary>
    public required string UsersFile { get; init; }

    /// <summary>
    /// The file of NT hashes for log-ins by IKEv2 (<c>broker user add --ikev2</c> writes it); null: nobody logs in so by password.
    /// </summary>
    public string? IkeUsersFile { get; init; }

    /// <summary>How users of openconnect log in by certificate; null: they are not asked for any.</summary>
    public UserCertificateConfig? Certificates { get; init; }
}

/// <summary>A group of users and what its members get.</summary>
public sealed record GroupConfig
{
    /// <summary>The group's name, as the users file has it.</summary>
    public required string Name { get; init; }

    /// <summary>The default profile with the group's own settings in place.</summary>
    public required ProfileConfig Profile { get; init; }
}

/// <summary>An address pool; each family's prefix is cut into one prefix per lcore (<see cref="PoolPartition"/>).</summary>
public sealed record PoolConfig
{
    /// <summary>The pool's name.</summary>
    public required string Name { get; init; }

    /// <summary>The IPv4 prefix, or null.</summary>
    public IPNetwork? IPv4 { get; init; }

    /// <summary>The IPv6 prefix, or null.</summary>
    public IPNetwork? IPv6 { get; init; }
}
