using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>A packet that was in a burst, as <see cref="EspEncapsulator"/> lists it.</summary>
public unsafe struct EspEncapsulated
{
    /// <summary>The packet's operation in the burst; -1 where it needed none.</summary>
    internal int Index;

    /// <summary>The buffer: the outer packet, or empty if it was dropped. It is the caller's again.</summary>
    public PacketBuffer* Packet { get; internal set; }

    /// <summary>The SA that sealed it.</summary>
    public OutboundSa* Sa { get; internal set; }

    /// <summary><see cref="EspDropReason.None"/>, or why there is nothing to send.</summary>
    public EspDropReason Reason { get; internal set; }
}

/// <summary>
/// Seals packets into ESP (RFC 4303) in bursts: every packet becomes one operation of an AEAD burst that it may
/// share with other SAs and other protocols, and is sealed where it lies.
/// </summary>
/// <remarks>
/// <code>
/// |[outer IP][UDP]| SPI | sequence | IV | inner packet | 1 2 3 … | pad length | next header | ICV |
/// |   0 to 48     |  4  |    4     | 8  |              | 0 to 3  |     1      |      1      | 16  |
///                 |&lt;--- AAD ---&gt;|    |&lt;-------------- encrypted --------------------------&gt;|
/// </code>
/// <para>Owned by one lcore. Call order: <see cref="AddBurst"/>, or <see cref="TryAdd"/> for every packet · <see cref="AeadBurst.Run"/> · <see cref="Complete"/>
/// · the results · <see cref="Clear"/> and <see cref="AeadBurst.Clear"/>. One instance serves one burst at a time: an lcore with
/// several bursts in flight has several.</para>
/// <para>The buffer needs <see cref="EspOverhead.MaxHeadroom"/> and <see cref="EspOverhead.MaxTailroom"/> around the packet. Nothing
/// here allocates, throws on a packet's account, or reads a clock.</para>
/// </remarks>
public sealed unsafe partial class EspEncapsulator : IDisposable
{
    private readonly int _capacity;
    private EspEncapsulated* _packets;
    private EspCounters* _counters;
    private bool _completed;

    /// <summary>Makes an encapsulator.</summary>
    /// <param name="capacity">Most packets in a burst.</param>
    public EspEncapsulator(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AeadEngine.MaxInFlight);
        _capacity = capacity;
        _packets = (EspEncapsulated*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(EspEncapsulated), 64);
        _counters = (EspCounters*)NativeMemory.AlignedAlloc(EspCounters.SizeInBytes, 64);
        NativeMemory.Clear(_counters, EspCounters.SizeInBytes);
    }

    /// <summary>Packets added since <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Packets dropped here, by reason, on every SA.</summary>
    public ref readonly EspCounters Drops => ref *_counters;

    /// <summary>What became of packet number <paramref name="index"/>, in the order of adding; valid from <see cref="Complete"/> to <see cref="Clear"/>.</summary>
    public ref readonly EspEncapsulated this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return ref _packets[index];
        }
    }

    /// <summary>Adds the sealing of an inner packet to a burst.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="sa">An SA of this lcore.</param>
    /// <param name="packet">Holds an IPv4 or IPv6 packet. If the status is <see cref="EspStatus.Added"/> it is the burst's until completion; else it is unchanged.</param>
    public EspStatus TryAdd(AeadBurst burst, OutboundSa* sa, PacketBuffer* packet)
    {
        EspStatus status;
        return AddBurst(burst, &sa, &packet, 1, &status) == 1 ? status : EspStatus.BurstFull;
    }

    /// <summary>
    /// Adds the sealing of packets to a burst, in their order, as <see cref="TryAdd"/> does one by one; the SAs of the packets ahead are
    /// on their way from memory meanwhile.
    /// </summary>
    /// <param name="burst">Takes an operation per packet.</param>
    /// <param name="sas">Each packet's SA, of this lcore.</param>
    /// <param name="packets">The packets; those whose status is <see cref="EspStatus.Added"/> are the burst's until completion, the others unchanged.</param>
    /// <param name="count">How many packets.</param>
    /// <param name="statuses">Takes what became of each packet.</param>
    /// <returns>How many packets were dealt with, from the front; those behind found the burst full, and nothing of them was changed or counted.</returns>
    public int AddBurst(AeadBurst burst, OutboundSa** sas, PacketBuffer** packets, int count, EspStatus* statuses)
    {
        int room = Math.Min(_capacity - Count, burst.Capacity - burst.Count);
        int first = burst.Count;
        AeadOperation* operations = burst.Next;
        EspEncapsulated* entries = _packets + Count;
        int ahead = Math.Min(count, CacheLines.Ahead);
        for (int i = 0; i < ahead; i++)
            Fetch(sas[i], packets[i]);
        int done = 0, added = 0, submitted = 0;
        for (; done < count && added < room; done++)
        {
            if (done + CacheLines.Ahead < count)
            {
                Fetch(sas[done + CacheLines.Ahead], packets[done + CacheLines.Ahead]);
                sas[done + CacheLines.HalfAhead]->Key.Prefetch();
                CacheLines.Fetch(packets[done + CacheLines.HalfAhead]->Data);
            }
            EspStatus status = Prepare(sas[done], packets[done], operations + submitted);
            statuses[done] = status;
            if (status != EspStatus.Added)
                continue;
            EspEncapsulated* entry = entries + added;
            entry->Packet = packets[done];
            entry->Sa = sas[done];
            entry->Index = (sas[done]->Form & SaForm.Cbc) != 0 ? -1 : first + submitted++;
            entry->Reason = EspDropReason.None;
            added++;
        }
        Count += added;
        burst.Advance(submitted);
        return done;
    }

    /// <summary>
    /// Adds the sealing of a dummy to a burst (RFC 4303 §2.6), which the peer discards: from outside it looks like an inner packet of a
    /// length. When they are sent is the owner's policy.
    /// </summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="sa">An SA of this lcore.</param>
    /// <param name="packet">A buffer, of which the content is overwritten.</param>
    /// <param name="length">Bytes of the inner packet that it poses as, from 20. In transport mode there is no header for it: dropped.</param>
    public EspStatus TryAddDummy(AeadBurst burst, OutboundSa* sa, PacketBuffer* packet, int length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, EspOverhead.IPv4);
        if (Count == _capacity || burst.Count == burst.Capacity)
            return EspStatus.BurstFull;
        if (!packet->TrySetLength(length))
            return Drop(sa, EspDropReason.NoRoom);
        packet->Span.Clear();
        // What the outer header copies: no traffic class, and "don't fragment" as nearly all packets have it.
        packet->Data[0] = 0x45;
        packet->Data[6] = 0x40;
        if ((sa->Form & SaForm.Transport) != 0)
            return Drop(sa, EspDropReason.NotTransport);
        EspStatus status = Wrap(sa, packet, burst.Next, IpProtocol.NoNextHeader, length);
        if (status != EspStatus.Added)
            return status;
        bool isInBurst = (sa->Form & SaForm.Cbc) == 0;
        _packets[Count++] = new EspEncapsulated { Packet = packet, Sa = sa, Index = isInBurst ? burst.Count : -1, Reason = EspDropReason.None };
        burst.Advance(isInBurst ? 1 : 0);
        return EspStatus.Added;
    }

    /// <summary>Finishes the packets of a burst that has run.</summary>
    /// <param name="burst">The burst that they were added to, all of them.</param>
    /// <exception cref="InvalidOperationException">An operation is still pending, or the packets were completed before.</exception>
    public void Complete(AeadBurst burst)
    {
        ArgumentNullException.ThrowIfNull(burst);
        if (_completed)
            throw new InvalidOperationException("These packets are complete: clear them before the next burst.");
        EspEncapsulated* end = _packets + Count;
        for (EspEncapsulated* entry = _packets; entry < end; entry++)
        {
            if (entry->Index >= 0 && burst[entry->Index]->Status == AeadStatus.Pending)
                throw new InvalidOperationException("Run the burst to its end, then complete its packets.");
        }
        for (EspEncapsulated* entry = _packets; entry < end; entry++)
        {
            OutboundSa* sa = entry->Sa;
            sa->InFlight--;
            if (entry->Index >= 0 ? burst[entry->Index]->Status == AeadStatus.Success : entry->Packet->Length != 0)
            {
                if (sa->NeedsUdpChecksum && entry->Packet->Data[0] >> 4 == 6)
                    OuterHeader.WriteUdpChecksum(entry->Packet->Data, entry->Packet->Length);
                continue;
            }
            NativeMemory.Clear(entry->Packet->Data, (nuint)entry->Packet->Length);
            entry->Packet->TrySetLength(0);
            Drop(sa, EspDropReason.EngineFailed);
            entry->Reason = EspDropReason.EngineFailed;
        }
        _completed = true;
    }

    /// <summary>Forgets the results.</summary>
    /// <exception cref="InvalidOperationException">The packets have not been completed.</exception>
    public void Clear()
    {
        if (Count != 0 && !_completed)
            throw new InvalidOperationException("Complete the packets before clearing them: their SAs wait for it.");
        Count = 0;
        _completed = false;
    }

    /// <summary>Frees the memory; nothing of it may be in flight.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_packets);
        NativeMemory.AlignedFree(_counters);
        _packets = null;
        _counters = null;
        Count = 0;
    }

    private static void Fetch(OutboundSa* sa, PacketBuffer* packet)
    {
        CacheLines.Fetch(sa);
        CacheLines.Fetch((byte*)sa + OutboundSa.CacheLine);
        CacheLines.Fetch(packet);
    }

    /// <summary>Puts the headers and the trailer around a packet, and fills in the operation that seals it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private EspStatus Prepare(OutboundSa* sa, PacketBuffer* packet, AeadOperation* operation)
    {
        if (!InnerPacket.TryMeasure(packet->Data, packet->Length, out byte nextHeader, out int length))
            return Drop(sa, EspDropReason.InnerNotIp);
        return Wrap(sa, packet, operation, nextHeader, length);
    }

    /// <summary>Puts the headers and the trailer around what a packet begins with.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private EspStatus Wrap(OutboundSa* sa, PacketBuffer* packet, AeadOperation* operation, byte nextHeader, int innerLength)
    {
        if (sa->Form != SaForm.AeadTunnel)
            return WrapOther(sa, packet, operation, nextHeader, innerLength);
        byte* inner = packet->Data;
        int length = innerLength;
        int front = sa->Outer.Length + EspOverhead.Header + EspOverhead.Iv;
        if (length < sa->Outer.PadTo)
            length = PaddedLength(sa, length);
        int padding = EspOverhead.Padding(length);
        int sealedLength = length + padding + EspOverhead.Trailer;
        int total = front + sealedLength + EspOverhead.Icv;
        if (packet->Headroom < front || packet->Tailroom + packet->Length < total - front)
            return Drop(sa, EspDropReason.NoRoom);
        if (total > sa->Outer.MaxPacket)
            return DropTooLong(sa, total);

        EspStatus status = sa->TakeSequence(innerLength, out ulong sequence);
        if (status != EspStatus.Added)
            return Drop(sa, status);

        // Sound from here on: headroom for `front` bytes and room for the rest were checked above.
        packet->TryPrepend(front);
        packet->TrySetLength(total);
        if (sa->Outer.Length != 0)
            sa->Outer.Write(packet->Data, total, inner, sequence);
        // RFC 4303 §2.7 leaves the bytes open: zeros tell nothing of what was in the buffer.
        if (length != innerLength)
            NativeMemory.Clear(inner + innerLength, (nuint)(length - innerLength));
        byte* esp = inner - EspOverhead.Header - EspOverhead.Iv;
        // RFC 4106 §3.1: the IV must never repeat under the key. The sequence number is such a counter, and the SA keeps it from cycling.
        ulong iv = NetworkOrder.From(sequence);
        *(uint*)esp = sa->SpiOnWire;
        *(uint*)(esp + 4) = NetworkOrder.From((uint)sequence);
        *(ulong*)(esp + EspOverhead.Header) = iv;
        WriteTrailer(inner + length, padding, nextHeader);
        Fill(operation, sa, inner, sealedLength, sequence, iv);
        return EspStatus.Added;
    }

    /// <summary>Fills in the operation that seals a packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fill(AeadOperation* operation, OutboundSa* sa, byte* plaintext, int length, ulong sequence, ulong iv)
    {
        operation->Source = plaintext;
        operation->Destination = plaintext;
        operation->Key = sa->Key;
        operation->Length = (uint)length;
        operation->Direction = AeadDirection.Seal;
        operation->Status = AeadStatus.Pending;
        EspAead.WriteAad(operation, sa->SpiOnWire, sequence, sa->ExtendedSequenceNumbers);
        EspAead.WriteNonce(operation, sa->Salt, iv);
        sa->InFlight++;
    }

    /// <summary>How long an inner packet becomes by traffic-flow-confidentiality padding.</summary>
    private static int PaddedLength(OutboundSa* sa, int length) => Math.Max(length, Math.Min(sa->Outer.PadTo, sa->MaxInnerPacket));

    /// <summary>Padding 1, 2, 3 (RFC 4303 §2.4), as much of it as there is, its length, and the next header.</summary>
    private static void WriteTrailer(byte* trailer, int padding, byte nextHeader)
    {
        // Sound: four bytes at most two of which lie behind the trailer, where the 16 of the ICV will be.
        *(uint*)trailer = NetworkOrder.From(0x01020300u);
        trailer[padding] = (byte)padding;
        trailer[padding + 1] = nextHeader;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private EspStatus Drop(OutboundSa* sa, EspDropReason reason)
    {
        _counters->Add(reason);
        sa->Cold->Counters.Add(reason);
        return EspStatus.Dropped;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private EspStatus DropTooLong(OutboundSa* sa, int total)
    {
        if (total > ushort.MaxValue)
            return Drop(sa, EspDropReason.TooLong);
        Drop(sa, EspDropReason.PathMtuExceeded);
        return EspStatus.TooBig;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private EspStatus Drop(OutboundSa* sa, EspStatus status)
    {
        Drop(sa, status switch
        {
            EspStatus.SequenceLimitReached => EspDropReason.SequenceLimitReached,
            EspStatus.SequenceExhausted => EspDropReason.SequenceExhausted,
            _ => EspDropReason.LifetimeExpired,
        });
        return status;
    }
}
