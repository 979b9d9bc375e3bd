using System.Runtime.InteropServices;

namespace CryptoPlane.Lcores;

/// <summary>
/// Wakes a consumer that sleeps in the kernel, without a system call while it is awake: a flag that says "asleep", a full fence on both
/// sides, and an eventfd.
/// </summary>
/// <remarks>
/// <para>The producer publishes a message, fences, reads the flag. The consumer sets the flag, fences, looks for messages once more.
/// Of the two, at least one sees what the other wrote (Dekker's argument), so that no wake-up is lost. A store and a later load of
/// another address may pass each other on every CPU that .NET runs on; acquire and release do not forbid it, hence the fences.</para>
/// <para>One waker serves all rings into one consumer. Any thread may call <see cref="Wake"/>; the other methods belong to the consumer.</para>
/// </remarks>
public sealed unsafe class LcoreWaker : IDisposable
{
    private int* _asleep;

    /// <summary>Makes the eventfd and the flag.</summary>
    /// <exception cref="InvalidOperationException">The process has no file descriptors left.</exception>
    public LcoreWaker()
    {
        FileDescriptor = LcoreInterop.EventFd(0, LcoreInterop.EfdNonBlock | LcoreInterop.EfdCloseOnExec);
        if (FileDescriptor < 0)
            throw new InvalidOperationException($"eventfd failed (errno {Marshal.GetLastPInvokeError()}): raise the limit of open files (LimitNOFILE, ulimit -n).");
        _asleep = (int*)NativeMemory.AlignedAlloc(128, 128);
        NativeMemory.Clear(_asleep, 128);
    }

    /// <summary>
    /// The eventfd, for the consumer's epoll set. Register it edge-triggered (EPOLLIN | EPOLLET): each wake-up is then one event, and
    /// nobody needs to read it.
    /// </summary>
    public int FileDescriptor { get; }

    /// <summary>Called by a producer after it has published something: a fence and a read; a system call only if the consumer sleeps.</summary>
    public void Wake()
    {
#pragma warning disable RS0030 // The one full fence that rule 1 of the design allows: see the class's remarks.
        Interlocked.MemoryBarrier();
#pragma warning restore RS0030
        if (Volatile.Read(ref *_asleep) != 0)
            Signal();
    }

    /// <summary>Makes the eventfd readable whether the consumer sleeps or not. Any thread.</summary>
    public void Signal()
    {
        ulong one = 1;
        // EAGAIN means that the counter is full, that is, readable; other errors cannot happen on an open eventfd.
        while (LcoreInterop.Write(FileDescriptor, &one, sizeof(ulong)) < 0 && Marshal.GetLastPInvokeError() == LcoreInterop.Eintr)
        {
        }
    }

    /// <summary>
    /// Announces that the consumer is about to sleep. It must look at all its rings once more afterwards, and sleep only if they are empty.
    /// </summary>
    public void PrepareToSleep()
    {
        Volatile.Write(ref *_asleep, 1);
#pragma warning disable RS0030 // The one full fence that rule 1 of the design allows: see the class's remarks.
        Interlocked.MemoryBarrier();
#pragma warning restore RS0030
    }

    /// <summary>Says that the consumer is awake again.</summary>
    public void Awake() => Volatile.Write(ref *_asleep, 0);

    /// <summary>
    /// Sleeps until <see cref="Wake"/> or <see cref="Signal"/>, for a consumer that waits for nothing else. It must have called
    /// <see cref="PrepareToSleep"/> and found its rings empty.
    /// </summary>
    /// <param name="timeoutMilliseconds">-1 for no limit.</param>
    /// <returns>False when the time passed.</returns>
    public bool Sleep(int timeoutMilliseconds)
    {
        var poll = new PollDescriptor { FileDescriptor = FileDescriptor, Events = LcoreInterop.PollIn };
        int ready = LcoreInterop.Poll(&poll, 1, timeoutMilliseconds);
        Awake();
        if (ready <= 0)
            return ready < 0; // EINTR counts as woken: the consumer looks at its rings and sleeps again.
        ulong count;
        _ = LcoreInterop.Read(FileDescriptor, &count, sizeof(ulong));
        return true;
    }

    /// <summary>Closes the eventfd; no producer may use the waker any more.</summary>
    public void Dispose()
    {
        if (_asleep == null)
            return;
        _ = LcoreInterop.Close(FileDescriptor);
        NativeMemory.AlignedFree(_asleep);
        _asleep = null;
    }
}
