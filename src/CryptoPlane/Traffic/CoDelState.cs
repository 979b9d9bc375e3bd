using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>
/// CoDel's state of one queue (RFC 8289 §5): judges each packet that leaves by how long it has waited. Unmanaged, one lcore's own.
/// </summary>
/// <remarks>
/// The RFC's loop over the queue is turned inside out: the caller takes a packet and asks <see cref="Judge"/>; when the answer is yes it
/// marks the packet and sends it, or drops it and asks about the next one.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public struct CoDelState
{
    /// <summary>Intervals after which the rate of an earlier dropping phase means nothing any more (RFC 8289 §5.6).</summary>
    private const int MemoryIntervals = 16;

    private long _firstAbove;
    private long _next;
    private uint _count;
    private uint _lastCount;
    private bool _dropping;

    /// <summary>Whether the queue is in a dropping phase.</summary>
    public readonly bool IsDropping => _dropping;

    /// <summary>Whether a packet is to be dropped, or marked.</summary>
    /// <param name="parameters">When a queue stands.</param>
    /// <param name="sojourn">How long the packet has waited, in nanoseconds.</param>
    /// <param name="backlog">Bytes that the queue holds behind it.</param>
    /// <param name="now">The clock, in nanoseconds; more than 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Judge(in CoDelParameters parameters, long sojourn, long backlog, long now)
    {
        // RFC 8289 §5.5: below the target, or with less than a packet waiting, the queue does not stand.
        if (sojourn < parameters.TargetNanoseconds || backlog <= parameters.MaxPacketBytes)
        {
            _firstAbove = 0;
            _dropping = false;
            return false;
        }
        return JudgeAbove(parameters, now);
    }

    /// <summary>Forgets everything.</summary>
    public void Reset() => this = default;

    private bool JudgeAbove(in CoDelParameters parameters, long now)
    {
        if (_firstAbove == 0)
        {
            _firstAbove = now + parameters.IntervalNanoseconds;
            return false;
        }
        if (now < _firstAbove)
            return false;
        if (_dropping)
        {
            if (now < _next)
                return false;
            _count++;
            _next = ControlLaw(_next, parameters.IntervalNanoseconds);
            return true;
        }
        _dropping = true;
        // RFC 8289 §5.6: when the last phase has ended a short while ago, begin with about its rate, which the link seems to need.
        uint delta = _count - _lastCount;
        _count = delta > 1 && now - _next < MemoryIntervals * parameters.IntervalNanoseconds ? delta : 1;
        _lastCount = _count;
        _next = ControlLaw(now, parameters.IntervalNanoseconds);
        return true;
    }

    /// <summary>RFC 8289 §5.4: drops come closer with the square root of their number, to which TCP's rate answers linearly.</summary>
    private readonly long ControlLaw(long time, long interval) => time + (long)(interval / Math.Sqrt(_count));
}
