using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using CryptoPlane.Traffic;

namespace VpnBroker.DataPlane.Queueing;

/// <summary>What one tunnel gets: unmanaged, since it goes to the lcore with the tunnel.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TunnelLimits
{
    /// <summary>How many limits there are.</summary>
    public const int Kinds = 4;

    /// <summary>Share where a port is the bottleneck; 0, as in the default, for 1.</summary>
    public int Weight;

    /// <summary>The class rules that are about the tunnel's user.</summary>
    public ulong Rules;

    /// <summary>To the peer: what waits.</summary>
    public TrafficRate SendShape;

    /// <summary>To the peer: what is dropped.</summary>
    public TrafficRate SendPolice;

    /// <summary>From the peer: what waits.</summary>
    public TrafficRate ReceiveShape;

    /// <summary>From the peer: what is dropped.</summary>
    public TrafficRate ReceivePolice;

    /// <summary>Whether there is any limit.</summary>
    public readonly bool IsLimited => SendShape.IsLimited || SendPolice.IsLimited || ReceiveShape.IsLimited || ReceivePolice.IsLimited;

    /// <summary>One of the limits.</summary>
    [UnscopedRef]
    public ref TrafficRate this[TunnelLimitKind kind]
    {
        get
        {
            switch (kind)
            {
                case TunnelLimitKind.SendShape:
                    return ref SendShape;
                case TunnelLimitKind.SendPolice:
                    return ref SendPolice;
                case TunnelLimitKind.ReceiveShape:
                    return ref ReceiveShape;
                default:
                    return ref ReceivePolice;
            }
        }
    }

    /// <summary>Whether weight and limits are those of another one.</summary>
    public readonly bool GivesAs(in TunnelLimits other) => Weight == other.Weight && SendShape == other.SendShape && SendPolice == other.SendPolice
        && ReceiveShape == other.ReceiveShape && ReceivePolice == other.ReceivePolice;
}
