using System.Runtime.InteropServices;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Two connected stream sockets, both non-blocking: the broker's end and the client's.</summary>
internal static unsafe partial class SocketPair
{
    private const int AfUnix = 1, SockStream = 1, NonBlocking = 0x800, CloseOnExec = 0x80000, SolSocket = 1, SendBuffer = 7;

    /// <summary>Makes a pair.</summary>
    /// <param name="brokerSendBuffer">Bytes that the kernel keeps of what the broker sends; 0 for the default.</param>
    public static (int Broker, int Client) Create(int brokerSendBuffer = 0)
    {
        int* ends = stackalloc int[2];
        if (Pair(AfUnix, SockStream | NonBlocking | CloseOnExec, 0, ends) != 0)
            throw new InvalidOperationException($"socketpair failed: error {Marshal.GetLastPInvokeError()}; raise the limit of open files (ulimit -n).");
        if (brokerSendBuffer != 0)
            _ = SetOption(ends[0], SolSocket, SendBuffer, &brokerSendBuffer, sizeof(int));
        return (ends[0], ends[1]);
    }

    [LibraryImport("libc", EntryPoint = "socketpair", SetLastError = true)]
    private static partial int Pair(int domain, int type, int protocol, int* ends);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int socket, int level, int name, void* value, uint length);
}
