using CryptoPlane.Esp;
using CryptoPlane.Ports;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>A packet port and the descriptor that says when it is readable.</summary>
/// <param name="Port">The port; its buffers come from the lcore's pool.</param>
/// <param name="FileDescriptor">For the lcore's epoll set; -1 for a port that is asked in every turn.</param>
internal sealed record WatchedPort(IPacketPort Port, int FileDescriptor);

/// <summary>A socket that carries ESP.</summary>
/// <param name="Port">The port.</param>
/// <param name="FileDescriptor">As in <see cref="WatchedPort"/>.</param>
/// <param name="Ingress">What its packets begin with.</param>
internal sealed record EspPort(IPacketPort Port, int FileDescriptor, EspIngress Ingress);

/// <summary>The packet ports of one lcore.</summary>
internal sealed record LcorePorts
{
    /// <summary>The lcore's queue of the TUN interface, or null.</summary>
    public WatchedPort? Tun { get; init; }

    /// <summary>The sockets that carry ESP.</summary>
    public IReadOnlyList<EspPort> Esp { get; init; } = [];
}
