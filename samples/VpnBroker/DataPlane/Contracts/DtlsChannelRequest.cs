using System.Net;

namespace VpnBroker.DataPlane.Contracts;

/// <summary>A data channel over DTLS on its way to the home lcore of a user's tunnel: the client's Finished was right, ours is not sent yet.</summary>
public sealed record DtlsChannelRequest
{
    /// <summary>The tunnel whose data it carries.</summary>
    public required ulong TunnelId { get; init; }

    /// <summary>The client's UDP address.</summary>
    public required IPEndPoint Peer { get; init; }

    /// <summary>The socket that it came by: an index of <see cref="IDataPlane.DtlsSockets"/>.</summary>
    public required int Port { get; init; }

    /// <summary>
    /// Native memory of <c>DtlsBinding</c>'s size, whose states hold the keys. The data plane releases the keys and frees the block, also when
    /// the tunnel has ended.
    /// </summary>
    public required nint Binding { get; init; }
}
