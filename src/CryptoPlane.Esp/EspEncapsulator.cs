using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>A packet that was in a burst, as <see cref="EspEncapsulator"/> lists it.</summary>
public readonly unsafe struct EspEncapsulated
{
    /// <summary>The packet's operation in the burst.</summary>
    internal readonly int Index;

    internal EspEncapsulated(PacketBuffer* packet, OutboundSa* sa, int index, EspDropReason reason)
    {
        Packet = packet;
        Sa = sa;
        Index = index;
        Reason = reason;
    }

    /// <summary>The buffer: the outer packet, or empty if it was dropped. It is the caller's again.</summary>
    public PacketBuffer* Packet { get; }

    /// <summary>The SA that sealed it.</summary>
    public OutboundSa* Sa { get; }

    /// <summary><see cref="EspDropReason.None"/>, or why there is nothing to send.</summary>
    public EspDropReason Reason { get; }
}

/// <summary>
/// Seals inner packets into ESP, tunnel mode (RFC 4303), in bursts: every packet becomes one operation of an AEAD burst that it may
/// share with other SAs and other protocols, and is sealed where it lies.
/// </summary>
/// <remarks>
/// <code>
/// |[outer IP][UDP]| SPI | sequence | IV | inner packet | 1 2 3 … | pad length | next header | ICV |
/// |   0 to 48     |  4  |    4     | 8  |              | 0 to 3  |     1      |      1      | 16  |
///                 |&lt;--- AAD ---&gt;|    |&lt;-------------- encrypted --------------------------&gt;|
/// </code>
/// <para>Owned by one lcore. Call order: <see cref="TryAdd"/> for every packet · <see cref="AeadBurst.Run"/> · <see cref="Complete"/>
/// · the results · <see cref="Clear"/> and <see cref="AeadBurst.Clear"/>. One instance serves one burst at a time: an lcore with
/// several bursts in flight has several.</para>
/// <para>The buffer needs <see cref="EspOverhead.MaxHeadroom"/> and <see cref="EspOverhead.MaxTailroom"/> around the packet. Nothing
/// here allocates, throws on a packet's account, or reads a clock.</para>
/// </remarks>
public sealed unsafe class EspEncapsulator : IDisposable
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
        if (Count == _capacity || burst.Count == burst.Capacity)
            return EspStatus.BurstFull;

        byte* inner = packet->Data;
        if (!InnerPacket.TryMeasure(inner, packet->Length, out byte nextHeader, out int length))
            return Drop(sa, EspDropReason.InnerNotIp);
        int padding = EspOverhead.Padding(length);
        int sealedLength = length + padding + EspOverhead.Trailer;
        int front = sa->Outer.Length + EspOverhead.Header + EspOverhead.Iv;
        int total = front + sealedLength + EspOverhead.Icv;
        if (packet->Headroom < front || packet->Tailroom + packet->Length < total - front)
            return Drop(sa, EspDropReason.NoRoom);
        if (total > ushort.MaxValue)
            return Drop(sa, EspDropReason.TooLong);

        EspStatus status = sa->TakeSequence(length, out ulong sequence);
        if (status != EspStatus.Added)
            return Drop(sa, status);

        // Sound from here on: headroom for `front` bytes and room for the rest were checked above.
        packet->TryPrepend(front);
        packet->TrySetLength(total);
        if (sa->Outer.Length != 0)
            sa->Outer.Write(packet->Data, total, inner, sequence);
        byte* esp = inner - EspOverhead.Header - EspOverhead.Iv;
        *(uint*)esp = sa->SpiOnWire;
        *(uint*)(esp + 4) = NetworkOrder.From((uint)sequence);
        // RFC 4106 §3.1: the IV must never repeat under the key. The sequence number is such a counter, and the SA keeps it from cycling.
        *(ulong*)(esp + EspOverhead.Header) = NetworkOrder.From(sequence);
        WriteTrailer(inner + length, padding, nextHeader);

        int index = burst.Count;
        burst.TryAdd(out AeadOperation* operation);
        operation->Source = inner;
        operation->Destination = inner;
        operation->Key = sa->Key;
        operation->Length = (uint)sealedLength;
        operation->Direction = AeadDirection.Seal;
        operation->Status = AeadStatus.Pending;
        EspAead.WriteAad(operation, sa->SpiOnWire, sequence, sa->ExtendedSequenceNumbers);
        EspAead.WriteNonce(operation, sa->Salt, *(ulong*)(esp + EspOverhead.Header));
        operation->UserData = (uint)Count;

        sa->InFlight++;
        _packets[Count++] = new EspEncapsulated(packet, sa, index, EspDropReason.None);
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
        for (int i = 0; i < Count; i++)
        {
            if (burst[_packets[i].Index]->Status == AeadStatus.Pending)
                throw new InvalidOperationException("Run the burst to its end, then complete its packets.");
        }
        for (int i = 0; i < Count; i++)
        {
            EspEncapsulated* entry = _packets + i;
            OutboundSa* sa = entry->Sa;
            sa->InFlight--;
            if (burst[entry->Index]->Status == AeadStatus.Success)
            {
                if (sa->Outer.NeedsUdpChecksum)
                    OuterHeader.WriteUdpChecksum(entry->Packet->Data, entry->Packet->Length);
                continue;
            }
            NativeMemory.Clear(entry->Packet->Data, (nuint)entry->Packet->Length);
            entry->Packet->TrySetLength(0);
            Drop(sa, EspDropReason.EngineFailed);
            *entry = new EspEncapsulated(entry->Packet, sa, entry->Index, EspDropReason.EngineFailed);
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

    /// <summary>Padding 1, 2, 3, … (RFC 4303 §2.4), its length, and the next header.</summary>
    private static void WriteTrailer(byte* trailer, int padding, byte nextHeader)
    {
        for (int i = 0; i < padding; i++)
            trailer[i] = (byte)(i + 1);
        trailer[padding] = (byte)padding;
        trailer[padding + 1] = nextHeader;
    }

    private EspStatus Drop(OutboundSa* sa, EspDropReason reason)
    {
        _counters->Add(reason);
        sa->Counters.Add(reason);
        return EspStatus.Dropped;
    }

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
