using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Traffic;
using VpnBroker.DataPlane.Queueing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>A tunnel's police and rules on one lcore.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct NodePolicy
{
    public ulong Rules;
    public TunnelPolice Send;
    public TunnelPolice Receive;

    /// <summary>When the user's connection took no more for the last time.</summary>
    public long BlockedAt;

    /// <summary>Bytes that went on since the user was paused last.</summary>
    public int Released;

    public bool IsBlocked;
    public bool IsPaused;
}

/// <summary>A tunnel's police in one direction. Its lcore counts, any thread reads.</summary>
/// <param name="rate">What it lets through.</param>
/// <param name="now">The clock, in nanoseconds.</param>
[StructLayout(LayoutKind.Sequential)]
internal struct TunnelPolice(in TrafficRate rate, long now)
{
    private TokenBucket _bucket = new(rate, now);
    private long _bytes;
    private long _packets;
    private long _refused;

    /// <summary>Whether there is a limit.</summary>
    public readonly bool IsLimited
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _bucket.IsLimited;
    }

    /// <summary>Packets that it has refused.</summary>
    public readonly long RefusedPackets => _refused;

    /// <summary>What came while there was a limit, whether it passed or not.</summary>
    public readonly OfferedTraffic Offered => new(_bytes, _packets, 0);

    /// <summary>Changes the rate from now on.</summary>
    public void SetRate(in TrafficRate rate, long now) => _bucket.SetRate(rate, now);

    /// <summary>Whether a packet is within the limit that there is.</summary>
    public bool TryTake(int length, long now)
    {
        _bytes += length;
        _packets++;
        if (_bucket.TryTake(length, now))
            return true;
        _refused++;
        return false;
    }
}
