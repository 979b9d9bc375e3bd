using System.Net;
using CryptoPlane.Ike;
using CryptoPlane.Ike.Crypto;

namespace VpnBroker.Configuration;

/// <summary>An IPsec peer, or many that are alike.</summary>
public sealed record IpsecPeerConfig
{
    /// <summary>The name, unique.</summary>
    public required string Name { get; init; }

    /// <summary>Our outer address, one of <see cref="IpsecConfig.Listen"/>; null for any of them.</summary>
    public IPAddress? Local { get; init; }

    /// <summary>The peer's address, or the prefix of the peers'; null for any.</summary>
    public IPNetwork? Remote { get; init; }

    /// <summary>Who we say to be.</summary>
    public required IkeIdentity LocalId { get; init; }

    /// <summary>Who the peer may be.</summary>
    public required IkeIdentityPattern RemoteId { get; init; }

    /// <summary>What both sides show who they are by.</summary>
    public required IpsecCredentials Credentials { get; init; }

    /// <summary>Algorithms of the IKE SA, the preferred first.</summary>
    public IReadOnlyList<IkeSuite> Proposals { get; init; } = IkeSuite.Defaults;

    /// <summary>Encloses ESP in UDP even where there is no NAT.</summary>
    public bool ForceEncapsulation { get; init; } = true;

    /// <summary>Seconds without a sign of life after which the peer is asked for one; 0: never.</summary>
    public int DpdSeconds { get; init; } = 30;

    /// <summary>Seconds without an answer after which a peer is dead; 0: when it has answered no retransmission, after some two minutes.</summary>
    public int DpdTimeoutSeconds { get; init; }

    /// <summary>Seconds after which the IKE SA is rekeyed.</summary>
    public int LifetimeSeconds { get; init; } = 4 * 3600;

    /// <summary>Whether each lcore gets SAs of its own (RFC 9611).</summary>
    public bool PerLcore { get; init; }

    /// <summary>Which of several peers with one prefix gets its packets: the lowest number.</summary>
    public int Priority { get; init; }

    /// <summary>Largest <see cref="Weight"/>.</summary>
    public const int MaximumWeight = 100;

    /// <summary>Of several peers with one prefix and one priority: this one's part of new flows, beside the others' weights.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether the broker brings the tunnel up and keeps it up.</summary>
    public bool Start { get; init; }

    /// <summary>Whether the peer may move to another address (RFC 4555).</summary>
    public bool Mobike { get; init; } = true;

    /// <summary>The MTU inside the tunnels, in bytes.</summary>
    public int Mtu { get; init; } = 1400;

    /// <summary>What the peer is granted.</summary>
    public required IReadOnlyList<IpsecChildConfig> Children { get; init; }
}

/// <summary>A tunnel within a peer's connection.</summary>
public sealed record IpsecChildConfig
{
    /// <summary>The name, unique within the peer.</summary>
    public required string Name { get; init; }

    /// <summary>Our side of the traffic.</summary>
    public required IReadOnlyList<IPNetwork> Local { get; init; }

    /// <summary>The peer's side, which is routed to it.</summary>
    public required IReadOnlyList<IPNetwork> Remote { get; init; }

    /// <summary>Algorithms, the preferred first.</summary>
    public IReadOnlyList<EspSuite> Proposals { get; init; } = EspSuite.Defaults;

    /// <summary>Seconds after which a pair of SAs is rekeyed.</summary>
    public int LifetimeSeconds { get; init; } = 3600;

    /// <summary>Packets that an SA may carry; it is rekeyed before. 0: as many as there are sequence numbers.</summary>
    public long LifetimePackets { get; init; }

    /// <summary>Bytes of inner packets that an SA may carry; it is rekeyed before. 0: no limit.</summary>
    public long LifetimeBytes { get; init; }
}

/// <summary>What a peer and the broker show who they are by: a secret that both have, or certificates.</summary>
public sealed record IpsecCredentials
{
    /// <summary>File with the pre-shared key; null with certificates.</summary>
    public string? PskFile { get; init; }

    /// <summary>PEM file with our certificate and those between it and the root; null with a pre-shared key.</summary>
    public string? CertificateFile { get; init; }

    /// <summary>PEM file with our private key.</summary>
    public string? KeyFile { get; init; }

    /// <summary>PEM files with the roots that the peer's certificate must lead to.</summary>
    public IReadOnlyList<string> TrustFiles { get; init; } = [];
}
