using CryptoPlane.Esp;
using CryptoPlane.IO.Ethernet;
using CryptoPlane.Ports;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>A packet port and the descriptor that says when it is readable.</summary>
/// <param name="Port">The port; its buffers come from the lcore's pool.</param>
/// <param name="FileDescriptor">For the lcore's epoll set; -1 for a port that is asked in every turn.</param>
internal sealed record WatchedPort(IPacketPort Port, int FileDescriptor);

/// <summary>An Ethernet link under some of the other ports.</summary>
/// <param name="Port">The lcore's port on it.</param>
/// <param name="Exception">How the lcore learns that the kernel has frames for the link.</param>
internal sealed record EthernetLink(EthernetIpPort Port, ExceptionWatch Exception);

/// <summary>How an lcore learns that its exception port has something.</summary>
/// <param name="FileDescriptor">For the lcore's epoll set; -1 without an exception port, and for one that wakes nobody.</param>
/// <param name="MustPoll">Whether the port is asked in every turn.</param>
internal readonly record struct ExceptionWatch(int FileDescriptor, bool MustPoll)
{
    /// <summary>There is no exception port.</summary>
    public static ExceptionWatch None => new(-1, false);

    /// <summary>The port wakes nobody.</summary>
    public static ExceptionWatch Polled => new(-1, true);
}

/// <summary>A socket, or another port, that carries ESP.</summary>
/// <param name="Port">The port.</param>
/// <param name="FileDescriptor">As in <see cref="WatchedPort"/>.</param>
/// <param name="Ingress">What its packets begin with.</param>
internal sealed record EspPort(IPacketPort Port, int FileDescriptor, EspIngress Ingress);

/// <summary>The packet ports of one lcore.</summary>
internal sealed record LcorePorts
{
    /// <summary>The lcore's queue of the port towards the local network (a TUN interface, or a port of plain packets), or null.</summary>
    public WatchedPort? Tun { get; init; }

    /// <summary>What carries ESP.</summary>
    public IReadOnlyList<EspPort> Esp { get; init; } = [];

    /// <summary>The sockets of users' datagrams, by the numbers of <see cref="Contracts.IDataPlane.DtlsSockets"/>.</summary>
    public IReadOnlyList<WatchedPort> Dtls { get; init; } = [];

    /// <summary>The Ethernet links under these ports.</summary>
    public IReadOnlyList<EthernetLink> Links { get; init; } = [];

    /// <summary>Whether a port wakes nobody and so must be asked again and again.</summary>
    public bool MustPoll => Tun is { FileDescriptor: < 0 } || Esp.Any(port => port.FileDescriptor < 0) || Dtls.Any(port => port.FileDescriptor < 0)
        || Links.Any(link => link.Exception.MustPoll);
}
