using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.IO.Ethernet;

/// <summary>The header of an Ethernet II frame: destination, source, type.</summary>
internal static unsafe class EthernetFrame
{
    /// <summary>Bytes before the payload, without a VLAN tag.</summary>
    public const int HeaderSize = 14;

    public const int Source = 6, Type = 12;

    public const ushort TypeIPv4 = 0x0800, TypeArp = 0x0806, TypeIPv6 = 0x86DD, TypeVlan = 0x8100, TypeServiceVlan = 0x88A8;

    /// <summary>Bytes of a VLAN tag (IEEE 802.1Q): its type, the priority and the VLAN's number.</summary>
    public const int TagSize = 4;

    /// <summary>The address of everyone, in a <see cref="ReadMac"/>'s form.</summary>
    public const ulong Broadcast = 0xFFFF_FFFF_FFFF;

    /// <summary>Reads 6 bytes in the CPU's order, so that two addresses compare as numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong ReadMac(byte* address) => Unsafe.ReadUnaligned<uint>(address) | ((ulong)Unsafe.ReadUnaligned<ushort>(address + 4) << 32);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteMac(byte* address, ulong mac)
    {
        Unsafe.WriteUnaligned(address, (uint)mac);
        Unsafe.WriteUnaligned(address + 4, (ushort)(mac >> 32));
    }

    /// <summary>Whether an address is a group's (the lowest bit of the first byte, which is the first on the wire).</summary>
    public static bool IsGroup(ulong mac) => (mac & 1) != 0;

    /// <summary>Whether an address may be a neighbour's: not a group's, not zero.</summary>
    public static bool IsStation(ulong mac) => mac != 0 && !IsGroup(mac);

    /// <summary>Writes all 14 bytes.</summary>
    public static void WriteHeader(byte* frame, ulong destination, ulong source, ushort type)
    {
        WriteMac(frame, destination);
        WriteMac(frame + Source, source);
        Offload.HeaderFields.Write16(frame + Type, type);
    }

    /// <summary>Takes the VLAN tag out of a frame that has one.</summary>
    public static void TakeTagOff(PacketBuffer* frame)
    {
        byte* data = frame->Data;
        // Sound: the frame has a header and a tag; both addresses are read before the first is written.
        ulong destination = ReadMac(data), source = ReadMac(data + Source);
        WriteMac(data + TagSize, destination);
        WriteMac(data + TagSize + Source, source);
        frame->TryTrimFront(TagSize);
    }

    /// <summary>The group address that carries an IPv6 group's packets (RFC 2464 §7).</summary>
    public static ulong MulticastIPv6(byte* group) => 0x3333UL | ((ulong)Unsafe.ReadUnaligned<uint>(group + 12) << 16);
}
