using System.Runtime.InteropServices;
using CryptoPlane.Traffic;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>What one tunnel gets: unmanaged, since it goes to the lcore with the tunnel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TunnelLimits
{
    /// <summary>Share where a port is the bottleneck; 0, as in the default, for 1.</summary>
    public int Weight;

    /// <summary>The class rules that are about the tunnel's user.</summary>
    public ulong Rules;

    /// <summary>To the peer: what waits, and what is dropped.</summary>
    public TrafficRate SendShape;
    public TrafficRate SendPolice;

    /// <summary>From the peer.</summary>
    public TrafficRate ReceiveShape;
    public TrafficRate ReceivePolice;
}
