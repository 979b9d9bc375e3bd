using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>What waited, was sent, marked and dropped: of a tunnel, or of a class over all tunnels. One thread writes, any may copy it.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
public unsafe struct QueueCounters
{
    internal const int SizeInBytes = 128;

    /// <summary>The largest delay is kept for at least so long, and at most twice.</summary>
    private const long Window = 1_000_000_000;

    private const int Reasons = 4;

    /// <summary>Packets that wait now.</summary>
    public long WaitingPackets;

    /// <summary>Their bytes.</summary>
    public long WaitingBytes;

    /// <summary>Packets that went out.</summary>
    public long SentPackets;

    /// <summary>Their bytes.</summary>
    public long SentBytes;

    /// <summary>Packets that went out with a mark of congestion instead of being dropped (RFC 3168).</summary>
    public long MarkedPackets;

    /// <summary>Nanoseconds that all packets together waited that went out: divided by <see cref="SentPackets"/>, the mean.</summary>
    public long DelayNanoseconds;

    private fixed long _drops[Reasons];
    private long _windowEnd;
    private long _largest;
    private long _largestBefore;

    /// <summary>The largest delay of the last second or two in which packets went out, in nanoseconds.</summary>
    public readonly long LargestDelayNanoseconds => Math.Max(_largest, _largestBefore);

    /// <summary>Packets dropped for a reason.</summary>
    // Sound: enum values are below the array's length.
    public readonly long Dropped(TrafficDropReason reason) => (uint)reason < Reasons ? _drops[(int)reason] : 0;

    /// <summary>Packets dropped, for whatever reason.</summary>
    public readonly long DroppedPackets => _drops[0] + _drops[1] + _drops[2] + _drops[3];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Came(int bytes)
    {
        WaitingPackets++;
        WaitingBytes += bytes;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Left(int bytes)
    {
        WaitingPackets--;
        WaitingBytes -= bytes;
    }

    internal void Drop(TrafficDropReason reason) => _drops[(int)reason]++;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Sent(int bytes, long delay, long now)
    {
        SentPackets++;
        SentBytes += bytes;
        DelayNanoseconds += delay;
        if (now >= _windowEnd)
        {
            // A window that nobody has closed for long says nothing of now.
            _largestBefore = now - _windowEnd < Window ? _largest : 0;
            _largest = 0;
            _windowEnd = now + Window;
        }
        _largest = Math.Max(_largest, delay);
    }
}
