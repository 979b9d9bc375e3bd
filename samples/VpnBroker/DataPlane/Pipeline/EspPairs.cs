using System.Runtime.InteropServices;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Counters;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>This lcore's pair of SAs of one ESP tunnel; zero where it has none.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct EspPair
{
    /// <summary>What seals towards the peer; owned by the lcore's SA database.</summary>
    public OutboundSa* Outbound;

    /// <summary>What opens from the peer; owned by the lcore's SA database.</summary>
    public InboundSa* Inbound;

    /// <summary>The peer's outer address and port.</summary>
    public PacketEndpoint Remote;

    /// <summary>Which of the lcore's ESP ports carries the tunnel.</summary>
    public int Port;

    /// <summary>Inner packets through the pair.</summary>
    public PortCounters Counters;
}

/// <summary>One lcore's pairs of SAs, by the number of their tunnel. Filled by a control thread before the lcore starts.</summary>
internal sealed unsafe class EspPairs : IDisposable
{
    private EspPair* _pairs;

    /// <summary>Makes an empty table for so many tunnels.</summary>
    public EspPairs(int tunnels)
    {
        Count = tunnels;
        _pairs = (EspPair*)NativeMemory.AllocZeroed((nuint)Math.Max(1, tunnels), (nuint)sizeof(EspPair));
    }

    /// <summary>How many tunnels there are.</summary>
    public int Count { get; }

    /// <summary>The pair of a tunnel.</summary>
    // Sound: tunnel numbers come from the routes of a snapshot and from SAs, which name tunnels below the count.
    public EspPair* this[int tunnel] => _pairs + tunnel;

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_pairs);
        _pairs = null;
    }
}
