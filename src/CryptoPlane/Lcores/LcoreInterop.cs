using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>What lcores need of libc: threads' CPUs, and an eventfd to be woken by.</summary>
internal static unsafe partial class LcoreInterop
{
    public const int EfdNonBlock = 0x800, EfdCloseOnExec = 0x80000;
    public const int Eintr = 4;
    public const short PollIn = 1;
    private const int PrSetTimerSlack = 29;

    /// <summary>Lets the calling thread's timers end when they are due, not up to 50 µs later (the kernel's default slack).</summary>
    /// <remarks>Pauses once as well: the runtime allocates when it binds a native function, and that must not happen under traffic.</remarks>
    public static void SetPreciseTimers()
    {
        _ = ProcessControl(PrSetTimerSlack, 1, 0, 0, 0);
        Pause(1);
    }

    /// <summary>Sleeps for less than a second; a signal may end it early.</summary>
    public static void Pause(long nanoseconds)
    {
        var time = new TimeSpecification { Nanoseconds = nanoseconds };
        _ = NanoSleep(&time, null);
    }

    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static partial int ProcessControl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    [LibraryImport("libc", EntryPoint = "nanosleep", SetLastError = true)]
    private static partial int NanoSleep(TimeSpecification* request, TimeSpecification* remaining);

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    public static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int file, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int file, void* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollDescriptor* descriptors, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    public static partial int GetAffinity(int thread, nuint bytes, void* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    public static partial int SetAffinity(int thread, nuint bytes, void* mask);
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollDescriptor
{
    public int FileDescriptor;
    public short Events;
    public short ReturnedEvents;
}

/// <summary>struct timespec (64-bit).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpecification
{
    public long Seconds;
    public long Nanoseconds;
}
