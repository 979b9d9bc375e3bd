using System.Runtime.InteropServices;

namespace VpnBroker.Listening;

/// <summary>The system calls of the control plane's sockets. Each returns -1 and sets the last P/Invoke error when it fails.</summary>
internal static unsafe partial class SystemCalls
{
    public const int EpollCloseOnExec = 0x80000;
    public const int EpollAdd = 1;
    public const int EpollDelete = 2;
    public const int EpollModify = 3;
    public const uint EpollReadable = 0x001;
    public const uint EpollWritable = 0x004;
    public const uint EpollPeerClosed = 0x2000;
    public const uint EpollOneShot = 1u << 30;

    public const int DontWait = 0x40;
    public const int NoSignal = 0x4000;

    public const int GetFlags = 3;
    public const int SetFlags = 4;
    public const int NonBlocking = 0x800;

    public const int Interrupted = 4;
    public const int TryAgain = 11;

    /// <summary>Size of struct epoll_event: packed on x86-64 only (linux/eventpoll.h).</summary>
    public static readonly int EpollEventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int EpollControl(int epoll, int operation, int descriptor, byte* @event);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int EpollWait(int epoll, byte* events, int maxEvents, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    public static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    public static partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int descriptor, int command, int argument);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);
}
