using System.Runtime.InteropServices;
using CryptoPlane.Traffic;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>A tunnel's limits on one lcore: an ESP tunnel's, or those of one of several connections of a user.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TunnelShare
{
    /// <summary>The tunnel's number in the lcore's schedulers.</summary>
    public int Node;

    public TunnelLimits Limits;
}

/// <summary>
/// One lcore's shares of the limits that are divided among lcores, or among a user's connections, in a native block: the supervisor fills it and posts its address, and
/// has it back with the lcore's answer. Blittable.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LcoreShares
{
    public TrafficRate Outside;
    public TrafficRate Inside;

    /// <summary>Tunnels whose limits follow.</summary>
    public int TunnelCount;

    private int _capacity;
    private TrafficRate* _classes;
    private TunnelShare* _tunnels;

    /// <summary>Makes a block for so many classes and tunnels.</summary>
    public static LcoreShares* Allocate(int classes, int tunnels)
    {
        var shares = (LcoreShares*)NativeMemory.AllocZeroed((nuint)sizeof(LcoreShares));
        shares->_capacity = tunnels;
        shares->_classes = (TrafficRate*)NativeMemory.AllocZeroed((nuint)classes, (nuint)sizeof(TrafficRate));
        shares->_tunnels = (TunnelShare*)NativeMemory.AllocZeroed((nuint)Math.Max(1, tunnels), (nuint)sizeof(TunnelShare));
        return shares;
    }

    /// <summary>Frees a block that no lcore has; null does nothing.</summary>
    public static void Free(LcoreShares* shares)
    {
        if (shares == null)
            return;
        NativeMemory.Free(shares->_classes);
        NativeMemory.Free(shares->_tunnels);
        NativeMemory.Free(shares);
    }

    /// <summary>A class's share.</summary>
    // Sound, both: callers count classes of the plan that the block was made for, and tunnels below TunnelCount.
    public readonly ref TrafficRate Class(int index) => ref _classes[index];

    /// <summary>A tunnel's share.</summary>
    public readonly TunnelShare* Tunnel(int index) => _tunnels + index;

    /// <summary>Adds a tunnel, if there is room.</summary>
    public bool TryAdd(in TunnelShare share)
    {
        if (TunnelCount == _capacity)
            return false;
        _tunnels[TunnelCount++] = share;
        return true;
    }
}
