using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What a handed-over buffer holds.</summary>
internal enum HandOverKind : byte
{
    /// <summary>An inner packet, its source checked.</summary>
    Inner,

    /// <summary>An ESP packet as it was received.</summary>
    Esp,

    /// <summary>An inner packet, its source checked, that its session's home lcore has counted and let pass.</summary>
    Counted,

    /// <summary>A user's datagram as it was received.</summary>
    Dtls,
}

/// <summary>What the pipeline notes about a packet, in the buffer's scratch behind the <see cref="PacketEndpoint"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct PacketMeta
{
    /// <summary>The next packet of the same queue.</summary>
    [FieldOffset(0)] public PacketBuffer* Next;

    /// <summary>
    /// In a ring between lcores, with <see cref="IngressKind"/>: which tunnel it came out of; of <see cref="HandOverKind.Counted"/> the user's
    /// session that it must go to, 0 for any.
    /// </summary>
    [FieldOffset(0)] public ulong IngressId;

    /// <summary>In a ring between lcores: whose it is for the policy.</summary>
    [FieldOffset(8)] public uint Subject;

    /// <summary>
    /// The tunnel that it came from or goes to; in a ring between lcores the one of several peers that was chosen, where this is so and no
    /// <see cref="Subject"/> is told.
    /// </summary>
    [FieldOffset(8)] public int Tunnel;

    /// <summary>In a user tunnel's queue: the frame's type.</summary>
    [FieldOffset(12)] public CstpType Type;

    /// <summary>In a user tunnel's queue: the channel that it goes by.</summary>
    [FieldOffset(13)] public FrameChannel Channel;

    /// <summary>What a received ESP packet begins with.</summary>
    [FieldOffset(13)] public EspIngress Ingress;

    /// <summary>Behind routing, with a <see cref="FlowMark"/>: bytes of the packet that its session has counted.</summary>
    [FieldOffset(14)] public ushort FlowLength;

    /// <summary>In a ring between lcores: what this is.</summary>
    [FieldOffset(14)] public HandOverKind Kind;

    /// <summary>In a ring between lcores: what it came out of.</summary>
    [FieldOffset(15)] public FlowTunnelKind IngressKind;

    /// <summary>The notes of a packet.</summary>
    // Sound: scratch has 40 bytes, of which the endpoint takes 24; 8-byte aligned, as the buffer's header is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PacketMeta* Of(PacketBuffer* packet) => (PacketMeta*)(packet->Scratch + PacketEndpoint.SizeInBytes);
}
