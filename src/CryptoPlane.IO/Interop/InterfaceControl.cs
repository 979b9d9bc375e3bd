using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace CryptoPlane.IO.Interop;

/// <summary>What TUN and TAP devices have in common: their queues, and the settings of a network interface. Control threads.</summary>
/// <remarks>Every method throws <see cref="InvalidOperationException"/> with what is missing where the kernel refuses.</remarks>
internal static unsafe class InterfaceControl
{
    /// <summary>Opens a queue of a TUN or TAP interface; the first of a name makes the interface.</summary>
    /// <param name="name">The name that is wanted; the kernel's choice on return.</param>
    /// <param name="flags">IFF_TUN or IFF_TAP with what else is wanted.</param>
    /// <returns>The descriptor, non-blocking.</returns>
    public static int OpenQueue(ref string name, int flags)
    {
        int file = Libc.Open("/dev/net/tun", Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_CLOEXEC, 0);
        if (file < 0)
            throw Errno.Failure("open(/dev/net/tun)", "load the kernel module 'tun' and run with CAP_NET_ADMIN.");
        var request = new InterfaceRequest(name) { Flags = (short)flags };
        if (Libc.Ioctl(file, InterfaceRequest.TUNSETIFF, &request) != 0)
        {
            string kind = (flags & InterfaceRequest.IFF_TUN) != 0 ? "TUN" : "TAP";
            InvalidOperationException failure = Errno.Failure($"Making the {kind} interface '{name}'",
                "run with CAP_NET_ADMIN, and see that no other program holds an interface of this name.");
            _ = Libc.Close(file);
            throw failure;
        }
        name = request.NameText;
        return file;
    }

    /// <summary>Sets the Ethernet address. Before <see cref="BringUp"/>, so that the IPv6 link-local address is made of it.</summary>
    public static void SetEthernetAddress(string name, ReadOnlySpan<byte> mac)
    {
        var request = new InterfaceRequest(name);
        // struct sockaddr: the kind of hardware, then the address.
        *(ushort*)request.Address = InterfaceRequest.ARPHRD_ETHER;
        mac.CopyTo(new Span<byte>(request.Address + 2, 6));
        Control(InterfaceRequest.SIOCSIFHWADDR, &request, $"set the Ethernet address of {name}");
    }

    /// <summary>Sets the MTU and the length of the kernel's queue, and brings the interface up.</summary>
    public static void BringUp(string name, int mtu, int transmitQueueLength)
    {
        var request = new InterfaceRequest(name) { Value = mtu };
        Control(InterfaceRequest.SIOCSIFMTU, &request, $"set the MTU of {name} to {mtu}");
        request = new InterfaceRequest(name) { Value = transmitQueueLength };
        Control(InterfaceRequest.SIOCSIFTXQLEN, &request, $"set the queue length of {name}");
        request = new InterfaceRequest(name);
        Control(InterfaceRequest.SIOCGIFFLAGS, &request, $"read the flags of {name}");
        request.Flags |= InterfaceRequest.IFF_UP;
        Control(InterfaceRequest.SIOCSIFFLAGS, &request, $"bring {name} up");
    }

    /// <summary>Adds an address; the kernel adds the route of its prefix.</summary>
    public static void AddAddress(string name, IPAddress address, int prefixLength)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfNegative(prefixLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(prefixLength, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
        Check(RouteNetlink.AddAddress(Index(name), address, prefixLength), $"give {name} the address {address}/{prefixLength}");
    }

    /// <summary>Adds a route through the interface, or replaces the main table's for the prefix.</summary>
    public static void SetRoute(string name, IPNetwork prefix, IPAddress? gateway)
    {
        if (gateway != null && gateway.AddressFamily != prefix.BaseAddress.AddressFamily)
            throw new ArgumentException($"The gateway {gateway} is of another family than {prefix}.", nameof(gateway));
        Check(RouteNetlink.SetRoute(Index(name), prefix, gateway),
            $"route {prefix} through {name}" + (gateway == null ? "" : $" by {gateway}"));
    }

    /// <summary>Sets the state of the link that the interface shows; its driver must be one that allows it, as TUN/TAP is.</summary>
    public static void SetCarrier(string name, bool up) =>
        Check(RouteNetlink.SetCarrier(Index(name), up), $"show the link of {name} as {(up ? "up" : "down")}");

    private static int Index(string name)
    {
        var request = new InterfaceRequest(name);
        Control(InterfaceRequest.SIOCGIFINDEX, &request, $"find the index of {name}");
        return request.Value;
    }

    private static void Control(nuint request, void* argument, string what)
    {
        int socket = Libc.Socket(Libc.AF_INET, Libc.SOCK_DGRAM | Libc.SOCK_CLOEXEC, 0);
        if (socket < 0)
            throw Errno.Failure("socket", $"a socket is needed to {what}.");
        int result = Libc.Ioctl(socket, request, argument);
        InvalidOperationException? failure = result == 0 ? null : Errno.Failure("ioctl", $"the kernel refused to {what}; it needs CAP_NET_ADMIN.");
        _ = Libc.Close(socket);
        if (failure != null)
            throw failure;
    }

    private static void Check(int error, string what)
    {
        if (error != 0)
            throw new InvalidOperationException(
                $"The kernel refused to {what}: {Marshal.GetPInvokeErrorMessage(error)}. It needs CAP_NET_ADMIN, and the interface up.");
    }
}
