using System.Net;

namespace VpnBroker.Configuration;

/// <summary>The ESP tunnels of the file: static SAs, which is why the file must say <c>insecureStaticKeys: true</c>.</summary>
public sealed record EspConfig
{
    /// <summary>Where sequence numbers are reserved.</summary>
    public required string StateFile { get; init; }

    /// <summary>Sequence numbers reserved at a time.</summary>
    public int ReserveBlock { get; init; } = 1 << 20;

    /// <summary>The tunnels.</summary>
    public required IReadOnlyList<EspTunnelConfig> Tunnels { get; init; }
}

/// <summary>An ESP tunnel to one peer.</summary>
public sealed record EspTunnelConfig
{
    /// <summary>The tunnel's name, unique.</summary>
    public required string Name { get; init; }

    /// <summary>What carries ESP.</summary>
    public required EspMode Mode { get; init; }

    /// <summary>The outer address and, with <see cref="EspMode.Udp"/>, the port of this side (port 0 with raw ESP).</summary>
    public required IPEndPoint Local { get; init; }

    /// <summary>The outer address and, with <see cref="EspMode.Udp"/>, the port of the peer (port 0 with raw ESP).</summary>
    public required IPEndPoint Remote { get; init; }

    /// <summary>The inner prefixes behind the peer: routed into the tunnel, and the only sources accepted out of it.</summary>
    public required IReadOnlyList<IPNetwork> RemotePrefixes { get; init; }

    /// <summary>The MTU inside the tunnel, in bytes.</summary>
    public int Mtu { get; init; } = 1400;

    /// <summary>One pair of SAs for each lcore that sends into the tunnel; at least one.</summary>
    public required IReadOnlyList<EspSaPairConfig> Pairs { get; init; }
}

/// <summary>What carries ESP.</summary>
public enum EspMode
{
    /// <summary>UDP (RFC 3948); needs no capability.</summary>
    Udp,

    /// <summary>IP protocol 50 (RFC 4303); needs CAP_NET_RAW.</summary>
    Raw,
}

/// <summary>The two SAs of one lcore.</summary>
public sealed record EspSaPairConfig
{
    /// <summary>The lcore that owns both SAs.</summary>
    public required int Lcore { get; init; }

    /// <summary>What comes from the peer. The SPI's top byte is the lcore's index + 1.</summary>
    public required EspSaConfig Inbound { get; init; }

    /// <summary>What goes to the peer.</summary>
    public required EspSaConfig Outbound { get; init; }
}

/// <summary>One static SA: AES-GCM with a 16-byte ICV (RFC 4106).</summary>
public sealed record EspSaConfig
{
    /// <summary>The SPI; 256 or more.</summary>
    public required uint Spi { get; init; }

    /// <summary>Key and salt.</summary>
    public required EspKey Key { get; init; }

    /// <summary>Extended (64-bit) sequence numbers (RFC 4303 §2.2.1).</summary>
    public bool Esn { get; init; } = true;

    /// <summary>The anti-replay window of an inbound SA, in packets: 64 to 4096, a power of two.</summary>
    public int ReplayWindow { get; init; } = 1024;
}
