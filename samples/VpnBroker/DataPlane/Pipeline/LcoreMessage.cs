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

    /// <summary>The lcore captures into the ring that it was told of, and uses no other.</summary>
    CaptureSwitched,

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
