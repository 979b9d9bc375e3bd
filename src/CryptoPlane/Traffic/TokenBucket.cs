using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>
/// A token bucket over bits and packets at once (RFC 2697's bucket C, for two units): polices, which refuses what is too much, or
/// shapes, which says when the next packet may go. Unmanaged, one lcore's own.
/// </summary>
/// <remarks>
/// <para>Policing: <see cref="TryTake"/> lets a packet pass that the bucket covers in full. Over any time t no more than burst + rate × t
/// passes.</para>
/// <para>Shaping: <see cref="IsReady"/>, then <see cref="Charge"/>: a packet may go as long as there is credit, and its length may lead
/// into debt, which is paid before the next. So packets longer than the burst pass as well, and over any time t no more than burst + one
/// packet + rate × t.</para>
/// <para>The clock is nanoseconds that do not go backwards; one that does earns nothing.</para>
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public struct TokenBucket
{
    private RateCredit _bits;
    private RateCredit _packets;
    private long _last;

    /// <summary>Starts full.</summary>
    /// <param name="rate">What it lets through.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value of the rate is out of its range.</exception>
    public TokenBucket(in TrafficRate rate, long now)
    {
        _last = now;
        SetRate(rate, now);
    }

    /// <summary>Whether there is a limit; the default bucket has none.</summary>
    public readonly bool IsLimited => _bits.IsLimited || _packets.IsLimited;

    /// <summary>Changes the rate from now on. Credit and debt stay, as far as they fit into the new burst.</summary>
    /// <inheritdoc cref="TokenBucket(in TrafficRate, long)" path="/param|/exception"/>
    public void SetRate(in TrafficRate rate, long now)
    {
        rate.Check();
        Earn(now);
        _bits.Set(rate.BitsPerSecond, rate.BurstBytes * 8);
        _packets.Set(rate.PacketsPerSecond, rate.BurstPackets);
    }

    /// <summary>Policing: takes a packet's tokens, or none.</summary>
    /// <param name="bytes">The packet's length.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    /// <returns>False when the packet is too much.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryTake(int bytes, long now)
    {
        Earn(now);
        if (!_bits.Covers(bytes * 8L) || !_packets.Covers(1))
            return false;
        Charge(bytes);
        return true;
    }

    /// <summary>Shaping: whether a packet may go now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsReady(long now)
    {
        Earn(now);
        return _bits.IsPositive && _packets.IsPositive;
    }

    /// <summary>Shaping: charges a packet that goes.</summary>
    /// <param name="bytes">The packet's length.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Charge(int bytes)
    {
        _bits.Charge(bytes * 8L);
        _packets.Charge(1);
    }

    /// <summary>Shaping: when <see cref="IsReady"/> will be true, as of its last call; in the past when it was.</summary>
    public readonly long ReadyAt => _last + Math.Max(_bits.UntilPositive, _packets.UntilPositive);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Earn(long now)
    {
        long elapsed = now - _last;
        if (elapsed <= 0)
            return;
        _last = now;
        _bits.Earn(elapsed);
        _packets.Earn(elapsed);
    }
}
