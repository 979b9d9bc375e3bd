using System.Net;
using System.Net.Sockets;

namespace CryptoPlane.IO.Interop;

/// <summary>
/// Addresses, routes and the carrier of an interface by rtnetlink(7), which knows several addresses per interface and gateways, as the older
/// ioctl calls do not. Control threads.
/// </summary>
internal static unsafe class RouteNetlink
{
    private const int AfNetlink = 16;
    private const ushort SetLink = 19, NewAddress = 20, NewRoute = 24, Error = 2;
    private const ushort FlagRequest = 1, FlagAcknowledge = 4, FlagReplace = 0x100, FlagCreate = 0x400;
    private const ushort AddressOfPeer = 1, AddressLocal = 2;
    private const ushort LinkCarrier = 33;
    private const ushort RouteDestination = 1, RouteOutputInterface = 4, RouteGateway = 5;
    private const byte TableMain = 254, ProtocolStatic = 4, ScopeLink = 253, TypeUnicast = 1;
    private const int HeaderSize = 16, MessageCapacity = 128;

    /// <summary>Gives an interface an address; the kernel adds the route of its prefix.</summary>
    /// <returns>0, or an error number.</returns>
    public static int AddAddress(int interfaceIndex, IPAddress address, int prefixLength)
    {
        // Sound: 16 + 8 + 2 * (4 + 16) bytes at most.
        byte* message = stackalloc byte[MessageCapacity];
        byte* body = Begin(message, NewAddress);
        body[0] = Family(address);
        body[1] = (byte)prefixLength;
        *(int*)(body + 4) = interfaceIndex;
        byte* end = Append(body + 8, AddressLocal, address);
        return Exchange(message, Append(end, AddressOfPeer, address));
    }

    /// <summary>Enters a route into the main table, or replaces the one that it has for the prefix.</summary>
    /// <param name="interfaceIndex">Where the prefix is reached.</param>
    /// <param name="prefix">The destinations.</param>
    /// <param name="gateway">The router on the link; null where the destinations are on the link themselves.</param>
    /// <returns>0, or an error number.</returns>
    public static int SetRoute(int interfaceIndex, IPNetwork prefix, IPAddress? gateway)
    {
        // Sound: 16 + 12 + 2 * (4 + 16) + (4 + 4) bytes at most.
        byte* message = stackalloc byte[MessageCapacity];
        byte* body = Begin(message, NewRoute);
        body[0] = Family(prefix.BaseAddress);
        body[1] = (byte)prefix.PrefixLength;
        body[4] = TableMain;
        body[5] = ProtocolStatic;
        body[6] = gateway == null && body[0] == Libc.AF_INET ? ScopeLink : (byte)0;
        body[7] = TypeUnicast;
        byte* end = Append(body + 12, RouteDestination, prefix.BaseAddress);
        if (gateway != null)
            end = Append(end, RouteGateway, gateway);
        ((ushort*)end)[0] = 8;
        ((ushort*)end)[1] = RouteOutputInterface;
        *(int*)(end + 4) = interfaceIndex;
        return Exchange(message, end + 8);
    }

    /// <summary>Sets whether an interface shows its link as up.</summary>
    /// <returns>0, or an error number.</returns>
    public static int SetCarrier(int interfaceIndex, bool up)
    {
        // Sound: 16 + 16 + 8 bytes. struct ifinfomsg, then an attribute of one byte, padded to 4.
        byte* message = stackalloc byte[MessageCapacity];
        byte* body = Begin(message, SetLink);
        *(int*)(body + 4) = interfaceIndex;
        byte* end = body + 16;
        ((ushort*)end)[0] = 5;
        ((ushort*)end)[1] = LinkCarrier;
        end[4] = up ? (byte)1 : (byte)0;
        return Exchange(message, end + 8);
    }

    private static byte Family(IPAddress address) => (byte)(address.AddressFamily == AddressFamily.InterNetwork ? Libc.AF_INET : Libc.AF_INET6);

    /// <summary>struct nlmsghdr, in the host's byte order; <see cref="Exchange"/> adds the length.</summary>
    private static byte* Begin(byte* message, ushort type)
    {
        new Span<byte>(message, MessageCapacity).Clear();
        *(ushort*)(message + 4) = type;
        *(ushort*)(message + 6) = FlagRequest | FlagAcknowledge | FlagReplace | FlagCreate;
        *(uint*)(message + 8) = 1;
        return message + HeaderSize;
    }

    /// <summary>struct rtattr and an address in network order. Both sizes are multiples of 4, so there is no padding.</summary>
    private static byte* Append(byte* end, ushort type, IPAddress address)
    {
        int size = address.AddressFamily == AddressFamily.InterNetwork ? 4 : 16;
        ((ushort*)end)[0] = (ushort)(4 + size);
        ((ushort*)end)[1] = type;
        address.TryWriteBytes(new Span<byte>(end + 4, size), out _);
        return end + 4 + size;
    }

    /// <summary>Sends the request and reads the acknowledgement: a header, then an error number, negative; 0 for done.</summary>
    private static int Exchange(byte* message, byte* end)
    {
        *(uint*)message = (uint)(end - message);
        int socket = Libc.Socket(AfNetlink, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, 0);
        if (socket < 0)
            return Errno.Last;
        byte* answer = stackalloc byte[512];
        int error = 0;
        if (Libc.Send(socket, message, (nuint)(end - message), 0) < 0)
            error = Errno.Last;
        nint received = 0;
        while (error == 0 && (received = Libc.Receive(socket, answer, 512, 0)) < 0)
            error = Errno.Last == Errno.EINTR ? 0 : Errno.Last;
        _ = Libc.Close(socket);
        if (error != 0)
            return error;
        return received >= HeaderSize + 4 && *(ushort*)(answer + 4) == Error ? -*(int*)(answer + HeaderSize) : Errno.EIO;
    }
}
