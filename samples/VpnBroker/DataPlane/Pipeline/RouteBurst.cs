using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Flows.Sessions;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>How a packet goes on.</summary>
internal enum RouteWay : byte
{
    /// <summary>Not at all: it was dropped, or handed over.</summary>
    None = 0,

    /// <summary>Into the tunnel of the user in slot <see cref="RoutedPacket.Target"/>.</summary>
    User,

    /// <summary>Into ESP tunnel <see cref="RoutedPacket.Target"/>.</summary>
    Esp,

    /// <summary>Out of the TUN port.</summary>
    Tun,

    /// <summary>To lcore <see cref="RoutedPacket.Target"/>.</summary>
    Lcore,

    /// <summary>Back to its sender, as a RST or an ICMP error: the policy rejects it.</summary>
    Rejected,
}

/// <summary>A packet on its way through routing.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RoutedPacket
{
    public PacketBuffer* Packet;

    /// <summary>What the packet's header says.</summary>
    public InnerPacket Inner;

    /// <summary>Where the packet came from and must not go back to; default for nowhere.</summary>
    public RouteTarget Origin;

    /// <summary>Where packets to its source would go; default where nobody asks.</summary>
    public RouteTarget Source;

    /// <summary>Where its destination is; of several peers that share its prefix the one that was chosen.</summary>
    public RouteTarget Destination;

    /// <summary>The peers that share its destination's prefix; default where there is one way.</summary>
    public RouteTarget Shared;

    /// <summary>The slot of the user who sent it, or -1.</summary>
    public int Sender;

    /// <summary>The user, ESP tunnel or lcore that <see cref="Way"/> means.</summary>
    public int Target;

    /// <summary>How it goes on.</summary>
    public RouteWay Way;

    /// <summary>Whether its session's home lcore has counted it.</summary>
    public bool IsCounted;

    /// <summary>Whether it goes to its session's initiator.</summary>
    public bool IsReverse;

    /// <summary>Its session; null where sessions are not kept, or it has none.</summary>
    public SessionState* Session;

    /// <summary>With <see cref="Session"/>: its entry in the table.</summary>
    public int SessionIndex;
}

/// <summary>
/// Packets whose routes are looked up side by side: with many routes each look-up waits for memory, and the waits of a burst pass together.
/// </summary>
/// <remarks>
/// <see cref="TryAdd"/> reads the header and asks for the first line of each table, <see cref="LookUp"/> goes through the burst again for
/// what those lines name, and again to read the targets and to ask for what the targets name.
/// </remarks>
internal sealed unsafe class RouteBurst(LcoreContext context, EspPairs pairs) : IDisposable
{
    /// <summary>Most packets.</summary>
    public const int Capacity = 256;

    private RoutedPacket* _packets = (RoutedPacket*)NativeMemory.AlignedAlloc(Capacity * (nuint)sizeof(RoutedPacket), 64);

    /// <summary>Packets in the burst.</summary>
    public int Count { get; private set; }

    /// <summary>A packet of the burst.</summary>
    // Sound: callers count to Count.
    public ref RoutedPacket this[int index] => ref _packets[index];

    /// <summary>Adds a packet, if its header is right; there must be room.</summary>
    /// <param name="packet">The packet; cut to the length that its header says.</param>
    /// <param name="origin">Where it came from.</param>
    /// <param name="reason">What is wrong with the packet, with null.</param>
    /// <returns>The entry, which is in the burst; or null.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public RoutedPacket* TryAdd(PacketBuffer* packet, RouteTarget origin, out DropReason reason)
    {
        RoutedPacket* entry = _packets + Count;
        reason = InnerPacket.TryParse(packet->Data, packet->Length, out entry->Inner);
        if (reason != DropReason.None)
            return null;
        // What the link carried behind the packet is padding.
        packet->TrySetLength(entry->Inner.Length);
        entry->Packet = packet;
        entry->Origin = origin;
        entry->Sender = -1;
        entry->IsCounted = false;
        context.Hosts.Fetch(entry->Inner.Destination);
        context.Forwarding->FetchRoot(entry->Inner.Destination);
        if (origin.MustProveSource)
            context.Forwarding->FetchRoot(entry->Inner.Source);
        Count++;
        return entry;
    }

    /// <summary>Takes the last packet out again.</summary>
    public void TakeBack() => Count--;

    /// <summary>Looks up all of them: the destinations, and the sources of those that have an origin.</summary>
    public void LookUp()
    {
        ForwardingSnapshot* forwarding = context.Forwarding;
        for (RoutedPacket* entry = _packets; entry < _packets + Count; entry++)
        {
            forwarding->FetchLeaf(entry->Inner.Destination);
            if (entry->Origin.MustProveSource)
                forwarding->FetchLeaf(entry->Inner.Source);
        }
        for (RoutedPacket* entry = _packets; entry < _packets + Count; entry++)
        {
            entry->Source = entry->Origin.MustProveSource ? forwarding->Find(entry->Inner.Source) : default;
            entry->Destination = forwarding->Find(entry->Inner.Destination);
            if (entry->Destination.Kind != RouteKind.Esp)
                continue;
            pairs.Fetch(entry->Destination.Index);
            forwarding->FetchEsp(entry->Destination.Index);
        }
    }

    /// <summary>Forgets the packets.</summary>
    public void Clear() => Count = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_packets);
        _packets = null;
    }
}
