using System.Net;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO.Datagram;

/// <summary>Opening, configuring and calling datagram sockets by their raw descriptors.</summary>
internal static unsafe class DatagramSocket
{
    /// <summary>Opens a non-blocking socket of the address's family. Control threads.</summary>
    public static int Open(IPAddress address, int type, int protocol)
    {
        int family = Family(address);
        int socket = Libc.Socket(family, type | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, protocol);
        if (socket < 0)
        {
            throw Errno.Failure("socket", type == Libc.SOCK_RAW
                ? "a raw socket needs CAP_NET_RAW; grant it, or carry ESP in UDP."
                : "the process may have too many open files.");
        }
        // A raw IPv6 socket has no such option: it never receives IPv4.
        if (family == Libc.AF_INET6 && type == Libc.SOCK_DGRAM)
            Set(socket, Libc.IPPROTO_IPV6, Libc.IPV6_V6ONLY, 1, "IPV6_V6ONLY");
        return socket;
    }

    /// <summary>Binds to a local address; port 0 lets the kernel choose.</summary>
    public static void Bind(int socket, IPEndPoint local, bool withPort = true)
    {
        KernelAddress address;
        KernelAddress.TryFrom(PacketEndpoint.From(local), &address, withPort);
        if (Libc.Bind(socket, &address, address.Length) != 0)
            throw Errno.Failure($"bind to {local}", "is the address one of this machine's, and the port free?");
    }

    /// <summary>The address that the socket is bound to.</summary>
    public static IPEndPoint LocalEndPoint(int socket)
    {
        KernelAddress address;
        uint length = KernelAddress.Size;
        if (Libc.GetSocketName(socket, &address, &length) != 0)
            throw Errno.Failure("getsockname", "the socket is closed.");
        PacketEndpoint endpoint;
        address.Write(&endpoint);
        return endpoint.ToIPEndPoint();
    }

    /// <summary>Asks for socket buffers of this size, beyond the system's limit where the process may.</summary>
    public static void SetBuffers(int socket, int bytes)
    {
        if (!TrySet(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUFFORCE, bytes))
            _ = TrySet(socket, Libc.SOL_SOCKET, Libc.SO_RCVBUF, bytes);
        if (!TrySet(socket, Libc.SOL_SOCKET, Libc.SO_SNDBUFFORCE, bytes))
            _ = TrySet(socket, Libc.SOL_SOCKET, Libc.SO_SNDBUF, bytes);
    }

    /// <summary>
    /// Lets the kernel fragment what is longer than the path's MTU, instead of failing the call: whether the inner packet fits was
    /// decided before it was sealed.
    /// </summary>
    public static void AllowFragments(int socket, IPAddress local)
    {
        if (Family(local) == Libc.AF_INET)
            Set(socket, Libc.IPPROTO_IP, Libc.IP_MTU_DISCOVER, Libc.PMTUDISC_DONT, "IP_MTU_DISCOVER");
        else
            Set(socket, Libc.IPPROTO_IPV6, Libc.IPV6_MTU_DISCOVER, Libc.PMTUDISC_DONT, "IPV6_MTU_DISCOVER");
    }

    public static void Set(int socket, int level, int name, int value, string what)
    {
        if (!TrySet(socket, level, name, value))
            throw Errno.Failure($"setsockopt {what}", "this kernel does not have the option.");
    }

    public static bool TrySet(int socket, int level, int name, int value) =>
        Libc.SetSocketOption(socket, level, name, &value, sizeof(int)) == 0;

    /// <summary>Receives up to <paramref name="count"/> messages without waiting.</summary>
    /// <returns>How many; 0 with <paramref name="error"/> the errno if none came.</returns>
    public static int Receive(int socket, MultiMessage* messages, int count, out int error)
    {
        while (true)
        {
            int received = Libc.ReceiveMessages(socket, messages, (uint)count, Libc.MSG_DONTWAIT, null);
            if (received >= 0)
            {
                error = 0;
                return received;
            }
            error = Errno.Last;
            if (error != Errno.EINTR)
                return 0;
        }
    }

    /// <summary>Sends up to <paramref name="count"/> messages without waiting.</summary>
    /// <returns>How many, from the front; 0 with <paramref name="error"/> the errno that the first one met.</returns>
    public static int Send(int socket, MultiMessage* messages, int count, out int error)
    {
        while (true)
        {
            int sent = Libc.SendMessages(socket, messages, (uint)count, Libc.MSG_DONTWAIT | Libc.MSG_NOSIGNAL);
            if (sent > 0)
            {
                error = 0;
                return sent;
            }
            error = sent == 0 ? Errno.EAGAIN : Errno.Last;
            if (error != Errno.EINTR)
                return 0;
        }
    }

    private static int Family(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? Libc.AF_INET : Libc.AF_INET6;
}
