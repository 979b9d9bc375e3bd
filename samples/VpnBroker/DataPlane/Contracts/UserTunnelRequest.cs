using System.Net;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>A user's connection on its way to the home lcore: the answer to CONNECT has been sent, CSTP comes next.</summary>
public sealed record UserTunnelRequest
{
    /// <summary>Names this tunnel; never used twice in a process (a reconnect makes a new one).</summary>
    public required ulong TunnelId { get; init; }

    /// <summary>The session that the tunnel belongs to; stays over reconnects.</summary>
    public required ulong SessionId { get; init; }

    /// <summary>The user's name, for the policy's rules and for log lines.</summary>
    public required string User { get; init; }

    /// <summary>The user's groups, for the policy's rules and for traffic classes.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>The home lcore.</summary>
    public required int Lcore { get; init; }

    /// <summary>The connection's file descriptor: non-blocking, in no epoll set; the data plane closes it.</summary>
    public required int Socket { get; init; }

    /// <summary>
    /// Native memory (<c>NativeMemory.AlignedAlloc</c>, 64-byte aligned) with two <c>TlsTrafficState</c>: [0] reads what the client
    /// sends, [1] writes to the client. The data plane releases the keys and frees the block.
    /// </summary>
    public required nint TrafficStates { get; init; }

    /// <summary>Bytes that were received behind the CONNECT request: sealed records or the beginning of one. Often empty.</summary>
    public required byte[] Unread { get; init; }

    /// <summary>The client's outer address, for captures; null for unknown.</summary>
    public IPEndPoint? Remote { get; init; }

    /// <summary>The connection's address here, likewise.</summary>
    public IPEndPoint? Local { get; init; }

    /// <summary>Whether the client was offered a data channel over DTLS, which <see cref="IDataPlane.AttachDtlsAsync"/> may bring.</summary>
    public bool OffersDtls { get; init; }

    /// <summary>The inner IPv4 address, or null.</summary>
    public IPAddress? InnerIPv4 { get; init; }

    /// <summary>The inner IPv6 address, or null.</summary>
    public IPAddress? InnerIPv6 { get; init; }

    /// <summary>The inner MTU, in bytes.</summary>
    public required int Mtu { get; init; }

    /// <summary>Seconds of silence before a DPD request; 0 for never.</summary>
    public required int DpdSeconds { get; init; }

    /// <summary>Seconds without sending before a keepalive; 0 for never.</summary>
    public required int KeepaliveSeconds { get; init; }

    /// <summary>Seconds without an inner packet before the tunnel ends; 0 for never.</summary>
    public required int IdleSeconds { get; init; }

    /// <summary>Bytes waiting on the connection beyond which packets are dropped before sealing.</summary>
    public required int UnsentBytes { get; init; }
}
