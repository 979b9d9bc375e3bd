using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Cstp;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What a handed-over buffer holds.</summary>
internal enum HandOverKind : byte
{
    /// <summary>An inner packet, its source checked.</summary>
    Inner,

    /// <summary>An ESP packet as it was received.</summary>
    Esp,
}

/// <summary>What the pipeline notes about a packet, in the buffer's scratch behind the <see cref="PacketEndpoint"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal unsafe struct PacketMeta
{
    /// <summary>The next packet of the same queue.</summary>
    [FieldOffset(0)] public PacketBuffer* Next;

    /// <summary>The tunnel that it came from or goes to.</summary>
    [FieldOffset(8)] public int Tunnel;

    /// <summary>In a user tunnel's queue: the frame's type.</summary>
    [FieldOffset(12)] public CstpType Type;

    /// <summary>What a received ESP packet begins with.</summary>
    [FieldOffset(13)] public EspIngress Ingress;

    /// <summary>In a ring between lcores: what this is.</summary>
    [FieldOffset(14)] public HandOverKind Kind;

    /// <summary>The notes of a packet.</summary>
    // Sound: scratch has 40 bytes, of which the endpoint takes 24; 8-byte aligned, as the buffer's header is.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PacketMeta* Of(PacketBuffer* packet) => (PacketMeta*)(packet->Scratch + PacketEndpoint.SizeInBytes);
}
