using System.Net;

namespace CryptoPlane.IO;

/// <summary>How a <see cref="UdpPort"/> is opened.</summary>
public sealed record UdpPortOptions
{
    /// <summary>The address and port to bind to. Name the address that peers send to: replies leave from it.</summary>
    public required IPEndPoint Local { get; init; }

    /// <summary>Several sockets on one port, one for each lcore (SO_REUSEPORT); steer them by <see cref="LcoreSteering.AttachToGroup"/>.</summary>
    public bool ReusePort { get; init; } = true;

    /// <summary>Lets the kernel cut a run of datagrams (UDP_SEGMENT) and put received ones together (UDP_GRO): one walk through its stack for many.</summary>
    public bool Offloads { get; init; } = true;

    /// <summary>Bytes of the socket's buffers in each direction.</summary>
    public int SocketBuffer { get; init; } = 4 * 1024 * 1024;
}
