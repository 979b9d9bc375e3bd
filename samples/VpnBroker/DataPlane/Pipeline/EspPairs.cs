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

    /// <summary>The MTU inside the tunnel of a remote user, in bytes; other tunnels have theirs with their routes.</summary>
    public int UserMtu;

    /// <summary>
    /// Whether a packet that is routed into the tunnel may be sent here: there is an SA, and its selectors take the packet (RFC 4301 §5.1).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool Takes(in InnerAddress source, PacketBuffer* packet) =>
        Outbound != null
        && (SourceCount == 0 || (InnerRange.AnyContains(Sources, SourceCount, source) && (!AsksSa || Outbound->Admits(packet))));
}

/// <summary>The remote user by IKEv2 whose tunnel it is, as policies and flow records name it; zero for a gateway's. Read once for a flow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct EspPairUser
{
    public ulong SessionId;
    public uint Subject;
}

/// <summary>One lcore's pairs of SAs, by the number of their tunnel. Static ones are filled in by a control thread before the lcore starts.</summary>
internal sealed unsafe class EspPairs : IDisposable
{
    private EspPair* _pairs;
    private EspPairUser* _users;

    /// <summary>Makes an empty table for so many tunnels.</summary>
    public EspPairs(int tunnels)
    {
        Count = tunnels;
        // Huge pages: any packet's pair is anywhere, and the TLB has room for few ordinary pages.
        _pairs = (EspPair*)KernelPacketMemory.Instance.Allocate(Bytes, EspPair.SizeInBytes);
        _users = (EspPairUser*)NativeMemory.AllocZeroed((nuint)Math.Max(1, tunnels), (nuint)sizeof(EspPairUser));
    }

    /// <summary>How many tunnels there are.</summary>
    public int Count { get; }

    /// <summary>The pair of a tunnel.</summary>
    // Sound: tunnel numbers come from the routes of a snapshot and from SAs, which name tunnels below the count.
    public EspPair* this[int tunnel] => _pairs + tunnel;

    /// <summary>Whose tunnel it is.</summary>
    // Sound: as above.
    public EspPairUser* UserOf(int tunnel) => _users + tunnel;

    /// <summary>Whether a tunnel is, or was, a remote user's: where none was nobody needs to ask whose each is.</summary>
    public bool HasUsers { get; private set; }

    /// <summary>Says whose tunnel it is from now on.</summary>
    public void SetUser(int tunnel, EspPairUser user)
    {
        _users[tunnel] = user;
        HasUsers |= user.SessionId != 0;
    }

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
        NativeMemory.Free(_users);
        _users = null;
    }
}
