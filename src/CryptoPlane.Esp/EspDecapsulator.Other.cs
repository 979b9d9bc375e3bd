using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>SAs that are not an AEAD's in tunnel mode: AES-CBC, which is opened at once and not in the burst, and transport mode.</summary>
public sealed unsafe partial class EspDecapsulator
{
    /// <summary>Checks and decrypts a packet of AES-CBC with HMAC; a wrong ICV is told at completion, as an AEAD's is.</summary>
    /// <returns>Why it is dropped at once.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EspDropReason OpenCbc(InboundSa* sa, Located* located, EspDecapsulated* entry)
    {
        const int front = EspOverhead.Header + EspOverhead.CbcIv;
        EspDropReason reason = CheckHeader(sa, located);
        if (reason != EspDropReason.None)
            return reason;
        int length = located->Length - front - EspOverhead.Icv;
        // RFC 3602 §2.4: whole blocks, of which the trailer needs one.
        if (length < EspOverhead.CbcIv || length % EspOverhead.CbcIv != 0)
            return EspDropReason.Truncated;
        // RFC 4303 §2.2.1: the upper half of the number is authenticated behind the ciphertext, and not sent.
        uint high = NetworkOrder.From((uint)(entry->Sequence >> 32));
        var suffix = new ReadOnlySpan<byte>(&high, sa->ExtendedSequenceNumbers ? sizeof(uint) : 0);
        if (!sa->Cbc->TryOpen(located->Esp, EspOverhead.Header, length, suffix))
            entry->Reason = EspDropReason.AuthenticationFailed;
        located->Packet->TryTrimFront(located->Offset + front);
        located->Packet->TrySetLength(located->Length - front);
        sa->InFlight++;
        return EspDropReason.None;
    }

    /// <summary>Transport mode needs the IP header that it keeps.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EspDropReason CheckHeader(InboundSa* sa, Located* located) =>
        (sa->Form & SaForm.Transport) != 0 && located->Offset == 0 ? EspDropReason.NotTransport : EspDropReason.None;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EspDropReason FinishCbc(EspDecapsulated* entry) => entry->Reason != EspDropReason.None
        ? entry->Reason
        : Accept(entry, entry->Packet->Length - EspOverhead.Icv);

    /// <summary>Takes the trailer off the plaintext and puts the packet's IP header before it again (RFC 4303 §3.1.1).</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EspDropReason UnwrapTransport(EspDecapsulated* entry, int sealedLength, out int length)
    {
        length = 0;
        PacketBuffer* packet = entry->Packet;
        byte* payload = packet->Data;
        int padding = payload[sealedLength - 2];
        int payloadLength = sealedLength - EspOverhead.Trailer - padding;
        if (payloadLength < 0 || !IsPadding(payload + payloadLength, padding))
            return EspDropReason.BadPadding;
        byte protocol = payload[sealedLength - 1];
        if (protocol == IpProtocol.NoNextHeader)
            return EspDropReason.Dummy;
        // Sound: the outer header was found in this buffer, and lies in what was trimmed off its front.
        byte* esp = payload - EspOverhead.Header - ((entry->Sa->Form & SaForm.Cbc) != 0 ? EspOverhead.CbcIv : EspOverhead.Iv);
        byte* before = esp - entry->OuterLength;
        int header = TransportHeader.LengthBefore(before, entry->OuterLength);
        Buffer.MemoryCopy(before, payload - header, header, header);
        packet->TryPrepend(header);
        length = header + payloadLength;
        TransportHeader.Mend(packet->Data, header, length, protocol);
        // The header was the packet's own all the way: its congestion marks are where they belong.
        entry->OuterEcn = Ecn.NotEct;
        return EspDropReason.None;
    }
}
