using System.Runtime.CompilerServices;
using CryptoPlane.IO.Offload;

namespace CryptoPlane.IO.Ethernet;

/// <summary>ARP over Ethernet for IPv4 (RFC 826).</summary>
internal static unsafe class Arp
{
    /// <summary>Bytes of a message behind the Ethernet header.</summary>
    public const int Size = 28;

    public const ushort Request = 1, Reply = 2;

    private const int Operation = 6, SenderMac = 8, SenderIp = 14, TargetMac = 18, TargetIp = 24;

    // Hardware type 1 (Ethernet), protocol type 0x0800, address lengths 6 and 4.
    private const uint HardwareAndProtocol = 0x0001_0800;
    private const ushort Lengths = 0x0604;

    /// <summary>What a message says.</summary>
    public struct Message
    {
        public bool IsReply;
        public ulong SenderMac;
        public LinkAddress Sender, Target;
    }

    /// <summary>Reads a message that follows an Ethernet header.</summary>
    /// <param name="data">The message.</param>
    /// <param name="length">Bytes there are; frames are padded.</param>
    /// <param name="message">What it says.</param>
    /// <returns>False for what is not ARP for IPv4 over Ethernet, or names no station as the sender.</returns>
    public static bool TryRead(byte* data, int length, out Message message)
    {
        message = default;
        if (length < Size || HeaderFields.Read32(data) != HardwareAndProtocol || HeaderFields.Read16(data + 4) != Lengths)
            return false;
        ushort operation = HeaderFields.Read16(data + Operation);
        message.IsReply = operation == Reply;
        message.SenderMac = EthernetFrame.ReadMac(data + SenderMac);
        message.Sender = LinkAddress.IPv4(data + SenderIp);
        message.Target = LinkAddress.IPv4(data + TargetIp);
        return operation is Request or Reply && EthernetFrame.IsStation(message.SenderMac);
    }

    /// <summary>Writes a whole frame of <see cref="EthernetFrame.HeaderSize"/> + <see cref="Size"/> bytes.</summary>
    public static void Write(byte* frame, ushort operation, ulong destination, ulong senderMac, LinkAddress sender, ulong targetMac, LinkAddress target)
    {
        EthernetFrame.WriteHeader(frame, destination, senderMac, EthernetFrame.TypeArp);
        byte* data = frame + EthernetFrame.HeaderSize;
        HeaderFields.Write32(data, HardwareAndProtocol);
        HeaderFields.Write16(data + 4, Lengths);
        HeaderFields.Write16(data + Operation, operation);
        EthernetFrame.WriteMac(data + SenderMac, senderMac);
        Unsafe.WriteUnaligned(data + SenderIp, *(uint*)LinkAddress.BytesOf(&sender));
        EthernetFrame.WriteMac(data + TargetMac, targetMac);
        Unsafe.WriteUnaligned(data + TargetIp, *(uint*)LinkAddress.BytesOf(&target));
    }
}
