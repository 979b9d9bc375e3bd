using System.Net;

namespace VpnBroker.Configuration;

/// <summary>IPsec with IKEv2: where the broker takes part in it, and its peers.</summary>
public sealed record IpsecConfig
{
    /// <summary>UDP port of IKE without a NAT (RFC 7296 §2).</summary>
    public const int IkePort = 500;

    /// <summary>UDP port of IKE and ESP where a NAT may lie between (RFC 3948).</summary>
    public const int NatPort = 4500;

    /// <summary>The broker's own outer addresses.</summary>
    public required IReadOnlyList<IPAddress> Listen { get; init; }

    /// <summary>Pairs of SAs that an lcore can have at a time.</summary>
    public int MaximumChildren { get; init; } = 1024;

    /// <summary>
    /// Whether keys may be written for Wireshark, for debugging. It takes two: the environment variable IKEKEYLOGDIR names the directory.
    /// </summary>
    public bool InsecureKeyLog { get; init; }

    /// <summary>Whether ESP may also come and go without UDP (IP protocol 50), which needs CAP_NET_RAW where the kernel carries it.</summary>
    public bool PlainEsp { get; init; }

    /// <summary>Remote users; null where there are none.</summary>
    public RemoteAccessConfig? RemoteAccess { get; init; }

    /// <summary>The peers, in the order in which they are tried for one that begins.</summary>
    public IReadOnlyList<IpsecPeerConfig> Peers { get; init; } = [];
}
