using System.Runtime.InteropServices;

namespace CryptoPlane.IO;

/// <summary>
/// What a port carried and dropped. Kept in native memory, written by the port's lcore, read by any thread through the port's
/// <c>ReadCounters</c>.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
public struct PortCounters
{
    /// <summary>Packets given to the lcore.</summary>
    public long ReceivedPackets;

    /// <summary>Their bytes.</summary>
    public long ReceivedBytes;

    /// <summary>System calls that received something.</summary>
    public long ReceiveCalls;

    /// <summary>Super-packets (TSO, USO, UDP GRO) among them, cut into packets by the port.</summary>
    public long ReceivedSuperPackets;

    /// <summary>Packets sent.</summary>
    public long TransmittedPackets;

    /// <summary>Their bytes.</summary>
    public long TransmittedBytes;

    /// <summary>System calls that sent something.</summary>
    public long TransmitCalls;

    /// <summary>Super-packets (GSO) that the port made out of two or more packets each.</summary>
    public long TransmittedSuperPackets;

    /// <summary>Times the lcore's pool had no buffer for a packet that may have waited. The packet waits in the kernel.</summary>
    public long NoBuffer;

    /// <summary>Dropped: received packets longer than a buffer.</summary>
    public long DropTooLong;

    /// <summary>Dropped: received packets whose headers contradict themselves.</summary>
    public long DropMalformed;

    /// <summary>Dropped at sending: the kernel's queue was full.</summary>
    public long DropQueueFull;

    /// <summary>Dropped at sending: the kernel refused the packet (no route, interface down, too big).</summary>
    public long DropRefused;

    /// <summary>Receive calls that failed for another reason than an empty queue (the interface is gone or down).</summary>
    public long ReceiveErrors;

    /// <summary>A copy whose every field was there at some time: for reading from other threads.</summary>
    internal static unsafe PortCounters Copy(PortCounters* counters)
    {
        PortCounters copy = default;
        for (int i = 0; i < sizeof(PortCounters) / sizeof(long); i++)
            ((long*)&copy)[i] = Volatile.Read(ref ((long*)counters)[i]);
        return copy;
    }

    /// <summary>Takes a zeroed block on cache lines of its own.</summary>
    internal static unsafe PortCounters* Allocate()
    {
        var counters = (PortCounters*)NativeMemory.AlignedAlloc((nuint)sizeof(PortCounters), 128);
        NativeMemory.Clear(counters, (nuint)sizeof(PortCounters));
        return counters;
    }
}
