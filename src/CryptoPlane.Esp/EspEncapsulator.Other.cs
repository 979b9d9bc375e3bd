using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>SAs that are not an AEAD's in tunnel mode: AES-CBC, which is sealed at once and not in the burst, and transport mode.</summary>
public sealed unsafe partial class EspEncapsulator
{
    /// <summary>Puts ESP around a packet, or into one behind its header.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private EspStatus WrapOther(OutboundSa* sa, PacketBuffer* packet, AeadOperation* operation, byte nextHeader, int innerLength)
    {
        bool isCbc = (sa->Form & SaForm.Cbc) != 0;
        bool isTransport = (sa->Form & SaForm.Transport) != 0;
        byte* old = packet->Data;
        int header = 0;
        if (isTransport && !TryFindHeader(sa, old, innerLength, out header, out nextHeader))
            return Drop(sa, EspDropReason.NotTransport);
        int length = innerLength - header;
        if (!isTransport && length < sa->Outer.PadTo)
            length = PaddedLength(sa, length);

        int ivLength = isCbc ? EspOverhead.CbcIv : EspOverhead.Iv;
        int padding = -(length + EspOverhead.Trailer) & ((isCbc ? EspOverhead.CbcIv : sizeof(uint)) - 1);
        int sealedLength = length + padding + EspOverhead.Trailer;
        int kept = sa->Outer.KeepsHeader ? header : 0;
        int front = kept + sa->Outer.Length + EspOverhead.Header + ivLength;
        int total = front + sealedLength + EspOverhead.Icv;
        if (packet->Headroom + header < front || packet->Tailroom + packet->Length - header < total - front)
            return Drop(sa, EspDropReason.NoRoom);
        if (total > sa->Outer.MaxPacket)
            return DropTooLong(sa, total);
        EspStatus status = sa->TakeSequence(innerLength, out ulong sequence);
        if (status != EspStatus.Added)
            return Drop(sa, status);

        // Sound from here on: there are `front` bytes before the payload, and room for the rest, as was checked above.
        byte* payload = old + header;
        byte* start = payload - front;
        if (front >= header)
            packet->TryPrepend(front - header);
        else
            packet->TryTrimFront(header - front);
        packet->TrySetLength(total);
        if (sa->Outer.KeepsHeader)
            MoveHeader(sa, old, start, header, total);
        else if (sa->Outer.Length != 0)
            sa->Outer.Write(start, total, payload, sequence);
        NativeMemory.Clear(payload + innerLength - header, (nuint)(length - (innerLength - header)));
        byte* esp = payload - ivLength - EspOverhead.Header;
        *(uint*)esp = sa->SpiOnWire;
        *(uint*)(esp + 4) = NetworkOrder.From((uint)sequence);
        WritePadding(payload + length, padding, nextHeader);
        if (isCbc)
        {
            SealCbc(sa, packet, esp, sealedLength, sequence);
            return EspStatus.Added;
        }
        ulong iv = NetworkOrder.From(sequence);
        *(ulong*)(esp + EspOverhead.Header) = iv;
        Fill(operation, sa, payload, sealedLength, sequence, iv);
        return EspStatus.Added;
    }

    /// <summary>Finds the header that stays before ESP; one with extension headers cannot go before UDP, whose checksum goes by the plain one.</summary>
    private static bool TryFindHeader(OutboundSa* sa, byte* packet, int length, out int header, out byte protocol) =>
        TransportHeader.TryFindPayload(packet, length, out header, out protocol)
        && (sa->Outer.Length == 0 || packet[0] >> 4 == 4 || header == EspOverhead.IPv6);

    private static void MoveHeader(OutboundSa* sa, byte* from, byte* to, int header, int total)
    {
        Buffer.MemoryCopy(from, to, header, header);
        bool isUdp = sa->Outer.Length != 0;
        TransportHeader.Mend(to, header, total, isUdp ? IpProtocol.Udp : IpProtocol.Esp);
        if (isUdp)
            sa->Outer.WriteTransportUdp(to + header, total - header);
    }

    /// <summary>Seals a packet of AES-CBC with HMAC; a packet without bytes tells the completion that it failed.</summary>
    private static void SealCbc(OutboundSa* sa, PacketBuffer* packet, byte* esp, int length, ulong sequence)
    {
        // RFC 4303 §2.2.1: the upper half of the number is authenticated behind the ciphertext, and not sent.
        uint high = NetworkOrder.From((uint)(sequence >> 32));
        var suffix = new ReadOnlySpan<byte>(&high, sa->ExtendedSequenceNumbers ? sizeof(uint) : 0);
        sa->InFlight++;
        if (sa->Cbc->TrySeal(esp, EspOverhead.Header, length, sequence, suffix))
            return;
        NativeMemory.Clear(packet->Data, (nuint)packet->Length);
        packet->TrySetLength(0);
    }

    /// <summary>Padding 1, 2, 3, … (RFC 4303 §2.4), its length, and the next header.</summary>
    private static void WritePadding(byte* trailer, int padding, byte nextHeader)
    {
        for (int i = 0; i < padding; i++)
            trailer[i] = (byte)(i + 1);
        trailer[padding] = (byte)padding;
        trailer[padding + 1] = nextHeader;
    }
}
