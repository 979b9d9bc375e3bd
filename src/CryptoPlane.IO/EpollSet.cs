using System.Runtime.InteropServices;
using CryptoPlane.IO.Interop;
using CryptoPlane.Lcores;

namespace CryptoPlane.IO;

/// <summary>What a descriptor is watched for, or is ready for (EPOLL* of Linux).</summary>
[Flags]
public enum EpollEvents : uint
{
    /// <summary>Nothing; errors and hang-ups are reported all the same.</summary>
    None = 0,

    /// <summary>Reading does not block.</summary>
    Readable = 0x1,

    /// <summary>Writing does not block.</summary>
    Writable = 0x4,

    /// <summary>An error is pending: read the descriptor to learn which.</summary>
    Error = 0x8,

    /// <summary>Both directions are closed.</summary>
    HangUp = 0x10,

    /// <summary>The peer has closed its sending direction.</summary>
    PeerClosed = 0x2000,

    /// <summary>Report a change once, not the state again and again.</summary>
    EdgeTriggered = 0x80000000,
}

/// <summary>A ready descriptor.</summary>
/// <param name="UserData">What was given with it.</param>
/// <param name="Events">What it is ready for.</param>
public readonly record struct EpollReady(ulong UserData, EpollEvents Events);

/// <summary>
/// The descriptors that one lcore waits for. It belongs to the lcore; changes cost a system call each, so a descriptor is watched for
/// writing only while something waits to be written.
/// </summary>
public sealed unsafe class EpollSet : IDisposable
{
    // struct epoll_event is packed on x86-64 (12 bytes), and naturally aligned elsewhere (16 bytes).
    private static readonly int s_eventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    private readonly int _capacity;
    private byte* _events;
    private int _epoll;
    private int _ready;

    /// <summary>Makes an empty set.</summary>
    /// <param name="capacity">Ready descriptors that one <see cref="Wait"/> can report; the rest come with the next.</param>
    /// <exception cref="InvalidOperationException">The process has no descriptors left.</exception>
    public EpollSet(int capacity = 256)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        _capacity = capacity;
        _epoll = Libc.EpollCreate(Libc.EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw Errno.Failure("epoll_create1", "raise the limit of open files (LimitNOFILE, ulimit -n).");
        _events = (byte*)NativeMemory.AlignedAlloc((nuint)(capacity * s_eventSize), 64);
    }

    /// <summary>Ready descriptors that the last <see cref="Wait"/> found.</summary>
    public int ReadyCount => _ready;

    /// <summary>A ready descriptor of the last <see cref="Wait"/>.</summary>
    public EpollReady this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)_ready, nameof(index));
            // Sound: index < ready <= capacity events of this size.
            byte* entry = _events + (index * s_eventSize);
            return new EpollReady(*(ulong*)(entry + s_eventSize - sizeof(ulong)), (EpollEvents)(*(uint*)entry));
        }
    }

    /// <summary>Watches a descriptor.</summary>
    /// <returns>False if the kernel refused (the descriptor is closed, is in the set already, or cannot be watched).</returns>
    public bool TryAdd(int file, EpollEvents events, ulong userData) => Control(Libc.EPOLL_CTL_ADD, file, events, userData);

    /// <summary>Changes what a descriptor is watched for.</summary>
    /// <returns>False if it is not in the set.</returns>
    public bool TryModify(int file, EpollEvents events, ulong userData) => Control(Libc.EPOLL_CTL_MOD, file, events, userData);

    /// <summary>Watches a descriptor no longer. Do it before closing one of which a duplicate lives on.</summary>
    /// <returns>False if it is not in the set.</returns>
    public bool TryRemove(int file) => Control(Libc.EPOLL_CTL_DEL, file, EpollEvents.None, 0);

    /// <summary>Lets the lcore's waker end a <see cref="Wait"/>: edge-triggered, so that nobody has to read the eventfd.</summary>
    public bool TryAdd(LcoreWaker waker, ulong userData)
    {
        ArgumentNullException.ThrowIfNull(waker);
        return TryAdd(waker.FileDescriptor, EpollEvents.Readable | EpollEvents.EdgeTriggered, userData);
    }

    /// <summary>Looks for ready descriptors, which replace those of the last call.</summary>
    /// <param name="timeoutMilliseconds">0 to look only, -1 to wait without limit.</param>
    /// <returns>How many are ready; 0 also when a signal interrupted a wait.</returns>
    public int Wait(int timeoutMilliseconds)
    {
        int count = Libc.EpollWait(_epoll, _events, _capacity, timeoutMilliseconds);
        return _ready = Math.Max(count, 0);
    }

    /// <summary>As <see cref="Wait"/>, for waits that are shorter than a millisecond.</summary>
    /// <param name="nanoseconds">0 or more, below a second.</param>
    /// <returns>How many are ready.</returns>
    public int WaitNanoseconds(long nanoseconds)
    {
        // An epoll set is readable while a descriptor in it is ready, and ppoll has the finer clock, on every kernel.
        var poll = new PollDescriptor { FileDescriptor = _epoll, Events = Libc.POLLIN };
        var time = new TimeSpec { Nanoseconds = (nint)nanoseconds };
        return Libc.PollPrecisely(&poll, 1, &time, null) > 0 ? Wait(0) : _ready = 0;
    }

    /// <summary>Closes the set; the descriptors in it stay open.</summary>
    public void Dispose()
    {
        if (_events == null)
            return;
        _ = Libc.Close(_epoll);
        NativeMemory.AlignedFree(_events);
        _events = null;
        _epoll = -1;
        _ready = 0;
    }

    private bool Control(int operation, int file, EpollEvents events, ulong userData)
    {
        byte* entry = stackalloc byte[16];
        *(uint*)entry = (uint)events;
        *(ulong*)(entry + s_eventSize - sizeof(ulong)) = userData;
        return Libc.EpollControl(_epoll, operation, file, entry) == 0;
    }
}
