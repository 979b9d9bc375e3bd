using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>This lcore's pair of SAs of one ESP tunnel, in one cache line; zero where it has none. The SAs count what goes through them.</summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
internal unsafe struct EspPair
{
    public const int SizeInBytes = 64;

    /// <summary>What seals towards the peer; owned by the lcore's SA database.</summary>
    public OutboundSa* Outbound;

    /// <summary>What opens from the peer; owned by the lcore's SA database.</summary>
    public InboundSa* Inbound;

    /// <summary>The peer's outer address and port.</summary>
    public PacketEndpoint Remote;

    /// <summary>Which of the lcore's ESP ports carries the tunnel.</summary>
    public int Port;

    /// <summary>How many ranges are at <see cref="Sources"/>; 0: packets of every source may be sent.</summary>
    public int SourceCount;

    /// <summary>Sources whose packets the peer takes: the local traffic selectors of a pair that was negotiated.</summary>
    public InnerRange* Sources;

    /// <summary>Whether the selectors name protocols or ports, so that the SA must be asked.</summary>
    public bool AsksSa;

    /// <summary>
    /// Whether a packet that is routed into the tunnel may be sent here: there is an SA, and its selectors take the packet (RFC 4301 §5.1).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Takes(in InnerAddress source, PacketBuffer* packet) =>
        Outbound != null
        && (SourceCount == 0 || (InnerRange.AnyContains(Sources, SourceCount, source) && (!AsksSa || Outbound->Admits(packet))));
}

/// <summary>One lcore's pairs of SAs, by the number of their tunnel. Static ones are filled in by a control thread before the lcore starts.</summary>
internal sealed unsafe class EspPairs : IDisposable
{
    private EspPair* _pairs;

    /// <summary>Makes an empty table for so many tunnels.</summary>
    public EspPairs(int tunnels)
    {
        Count = tunnels;
        // Huge pages: any packet's pair is anywhere, and the TLB has room for few ordinary pages.
        _pairs = (EspPair*)KernelPacketMemory.Instance.Allocate(Bytes, EspPair.SizeInBytes);
    }

    /// <summary>How many tunnels there are.</summary>
    public int Count { get; }

    /// <summary>The pair of a tunnel.</summary>
    // Sound: tunnel numbers come from the routes of a snapshot and from SAs, which name tunnels below the count.
    public EspPair* this[int tunnel] => _pairs + tunnel;

    private nuint Bytes => (nuint)Math.Max(1, Count) * EspPair.SizeInBytes;

    /// <summary>Asks for a tunnel's line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Fetch(int tunnel) => CacheLine.Fetch(_pairs + tunnel);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_pairs != null)
            KernelPacketMemory.Instance.Free((byte*)_pairs, Bytes);
        _pairs = null;
    }
}
