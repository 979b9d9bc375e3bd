using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Devices;

/// <summary>Enters routes into the kernel's table (rtnetlink), so that the host sends prefixes into the TUN interface. Control threads.</summary>
internal static unsafe partial class KernelRoutes
{
    private const int AfNetlink = 16, SockRaw = 3, SockCloseOnExec = 0x80000;
    private const ushort RtmNewRoute = 24, NlmError = 2;
    private const ushort FlagRequest = 1, FlagAck = 4, FlagReplace = 0x100, FlagCreate = 0x400;
    private const byte TableMain = 254, ProtocolStatic = 4, ScopeLink = 253, TypeUnicast = 1;
    private const ushort AttributeDestination = 1, AttributeOutputInterface = 4;

    /// <summary>Adds the route, or replaces the one that the main table has for the prefix.</summary>
    /// <param name="prefix">The destinations.</param>
    /// <param name="interfaceName">Where they are reached.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says why.</exception>
    public static void Set(IPNetwork prefix, string interfaceName)
    {
        uint index = InterfaceIndex(interfaceName);
        int socket = index == 0 ? -1 : Socket(AfNetlink, SockRaw | SockCloseOnExec, 0);
        if (socket < 0)
            throw Failure(prefix, interfaceName, Marshal.GetLastPInvokeError());
        try
        {
            byte* message = stackalloc byte[128];
            int length = Write(message, prefix, index);
            byte* answer = stackalloc byte[512];
            nint received = -1;
            if (Send(socket, message, (nuint)length, 0) == length)
                received = Receive(socket, answer, 512, 0);
            // The answer is a header of 16 bytes, then an error number, negative; 0 for done.
            if (received < 20 || *(ushort*)(answer + 4) != NlmError)
                throw Failure(prefix, interfaceName, Marshal.GetLastPInvokeError());
            if (*(int*)(answer + 16) != 0)
                throw Failure(prefix, interfaceName, -*(int*)(answer + 16));
        }
        finally
        {
            _ = Close(socket);
        }
    }

    /// <summary>struct nlmsghdr, struct rtmsg, and two attributes: everything in the host's byte order but the prefix.</summary>
    // Sound: 16 + 12 + (4 + 16) + (4 + 4) bytes at most.
    private static int Write(byte* message, IPNetwork prefix, uint interfaceIndex)
    {
        const int headerSize = 16, routeSize = 12, attributeHeader = 4;
        new Span<byte>(message, 128).Clear();
        bool ipv4 = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetwork;
        *(ushort*)(message + 4) = RtmNewRoute;
        *(ushort*)(message + 6) = FlagRequest | FlagAck | FlagReplace | FlagCreate;
        *(uint*)(message + 8) = 1;
        byte* route = message + headerSize;
        route[0] = (byte)(ipv4 ? 2 : 10);
        route[1] = (byte)prefix.PrefixLength;
        route[4] = TableMain;
        route[5] = ProtocolStatic;
        route[6] = ipv4 ? ScopeLink : (byte)0;
        route[7] = TypeUnicast;
        byte* next = route + routeSize;
        int size = ipv4 ? 4 : 16;
        *(ushort*)next = (ushort)(attributeHeader + size);
        *(ushort*)(next + 2) = AttributeDestination;
        prefix.BaseAddress.TryWriteBytes(new Span<byte>(next + attributeHeader, size), out _);
        next += attributeHeader + size;
        *(ushort*)next = attributeHeader + sizeof(uint);
        *(ushort*)(next + 2) = AttributeOutputInterface;
        *(uint*)(next + attributeHeader) = interfaceIndex;
        next += attributeHeader + sizeof(uint);
        int length = (int)(next - message);
        *(uint*)message = (uint)length;
        return length;
    }

    private static InvalidOperationException Failure(IPNetwork prefix, string interfaceName, int error) => new(
        $"The kernel refused the route {prefix} through {interfaceName}: {Marshal.GetPInvokeErrorMessage(error)}. It needs CAP_NET_ADMIN.");

    [LibraryImport("libc", EntryPoint = "if_nametoindex", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial uint InterfaceIndex(string name);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int Socket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint Send(int socket, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint Receive(int socket, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
