using System.Runtime.InteropServices;
using VpnBroker.DataPlane.Contracts;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What the supervisor tells an lcore.</summary>
internal enum LcoreMessageKind : byte
{
    /// <summary>Start the tunnel whose parameters are in the slot; <see cref="LcoreMessage.Pointer"/>: unread bytes.</summary>
    Attach,

    /// <summary>End the tunnel in the slot if it is still the one of that id.</summary>
    Detach,

    /// <summary>Forward by the snapshot at <see cref="LcoreMessage.Pointer"/>.</summary>
    Forwarding,

    /// <summary>Let the outbound SA of ESP tunnel <see cref="LcoreMessage.Slot"/> use sequence numbers up to <see cref="LcoreMessage.Value"/>.</summary>
    SequenceLimit,

    /// <summary>Do what the <see cref="EspOrder"/> at <see cref="LcoreMessage.Pointer"/> says.</summary>
    Esp,

    /// <summary>Capture into the ring at <see cref="LcoreMessage.Pointer"/>, or stop capturing when it is 0.</summary>
    Capture,

    /// <summary>
    /// Decide by the policy at <see cref="LcoreMessage.Pointer"/>, 0 for none; <see cref="LcoreMessage.Length"/> and
    /// <see cref="LcoreMessage.Slot"/>: most flows, and new flows per second, of a user.
    /// </summary>
    Policy,

    /// <summary>Show the sessions that the <see cref="FlowFilter"/> at <see cref="LcoreMessage.Pointer"/> takes, in reading <see cref="LcoreMessage.Slot"/>.</summary>
    Flows,

    /// <summary>Take the shares of limits in the <see cref="Queueing.LcoreShares"/> at <see cref="LcoreMessage.Pointer"/>.</summary>
    Shares,

    /// <summary>Spread new flows over peers by the <see cref="Routing.PeerGroup"/>s at <see cref="LcoreMessage.Pointer"/>, which are those of the snapshot.</summary>
    Peers,

    /// <summary>Let the tunnel of the slot, if it is still the one of that id, have the data channel of the <see cref="Dtls.DtlsBinding"/> at <see cref="LcoreMessage.Pointer"/>.</summary>
    DtlsAttach,

    /// <summary>
    /// Another lcore's client: <see cref="LcoreMessage.Value"/> and <see cref="LcoreMessage.Pointer"/> are the keys of its address with and without
    /// its port; <see cref="LcoreMessage.Slot"/>: the lcore, and <see cref="LcoreMessage.Length"/>: 0 when it is there no more.
    /// </summary>
    DtlsPeer,

    /// <summary>End all tunnels.</summary>
    Shutdown,
}

/// <summary>A message from the supervisor to an lcore: blittable.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LcoreMessage
{
    public LcoreMessageKind Kind;
    public TunnelEndReason Reason;
    public int Slot;
    public int Length;
    public ulong Value;
    public nint Pointer;
}

/// <summary>What an lcore tells the supervisor.</summary>
internal enum LcoreEventKind : byte
{
    /// <summary>The tunnel of the slot was taken; <see cref="LcoreEvent.Pointer"/>: its unread bytes, to be freed.</summary>
    Attached,

    /// <summary>The tunnel of the slot has ended: the slot, its traffic states and its counters are the supervisor's again.</summary>
    Ended,

    /// <summary>The snapshot at <see cref="LcoreEvent.Pointer"/> is not used any more.</summary>
    ForwardingReplaced,

    /// <summary>A sequence limit was raised.</summary>
    SequenceLimitRaised,

    /// <summary>The order at <see cref="LcoreEvent.Pointer"/> was obeyed, or says that it could not be.</summary>
    EspObeyed,

    /// <summary>A pair of SAs, or more, has passed a lifetime.</summary>
    EspLifetime,

    /// <summary>The lcore captures into the ring that it was told of, and uses no other.</summary>
    CaptureSwitched,

    /// <summary>The policy of before is not used any more.</summary>
    PolicyReplaced,

    /// <summary>The filter at <see cref="LcoreEvent.Pointer"/> was read.</summary>
    FlowsBegun,

    /// <summary>The shares at <see cref="LcoreEvent.Pointer"/> were taken, and the block is the supervisor's again.</summary>
    SharesTaken,

    /// <summary>The groups of peers at <see cref="LcoreEvent.Pointer"/> are not used any more.</summary>
    PeersReplaced,

    /// <summary>The binding at <see cref="LcoreEvent.Pointer"/> was looked at, and says whether it was taken.</summary>
    DtlsAttached,

    /// <summary>The data channel of the slot's tunnel comes from the address whose key is <see cref="LcoreEvent.Pointer"/> now.</summary>
    DtlsMoved,

    /// <summary>All tunnels have ended.</summary>
    ShutDown,
}

/// <summary>A message from an lcore to the supervisor: blittable.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LcoreEvent
{
    public LcoreEventKind Kind;
    public int Slot;
    public nint Pointer;
}
