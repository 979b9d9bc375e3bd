using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>A packet that was in a burst, as <see cref="EspDecapsulator"/> lists it.</summary>
public unsafe struct EspDecapsulated
{
    internal ulong Sequence;

    /// <summary>The packet's operation in the burst.</summary>
    internal int Index;

    internal byte OuterEcn;

    /// <summary>The buffer: the inner packet, or empty if it was dropped. It is the caller's again.</summary>
    public PacketBuffer* Packet { get; internal set; }

    /// <summary>The SA that the packet came by.</summary>
    public InboundSa* Sa { get; internal set; }

    /// <summary><see cref="EspDropReason.None"/> for a packet to deliver, or why there is none.</summary>
    public EspDropReason Reason { get; internal set; }
}

/// <summary>
/// Opens ESP packets, tunnel mode (RFC 4303), in bursts: every packet becomes one operation of an AEAD burst that it may share with
/// other SAs and other protocols, and is opened where it lies. What is delivered is one sound inner IP packet, cut to its own length.
/// </summary>
/// <remarks>
/// <para>Owned by one lcore. Call order: <see cref="TryAdd"/> for every packet · <see cref="AeadBurst.Run"/> · <see cref="Complete"/>
/// · the results · <see cref="Clear"/> and <see cref="AeadBurst.Clear"/>. One instance serves one burst at a time: an lcore with
/// several bursts in flight has several, over one <see cref="Sad"/>.</para>
/// <para>The anti-replay window is asked before a packet is opened, so that a replayed one costs no cryptography, and asked again and
/// moved once its ICV has proved right: of two copies in one burst, or in two bursts in flight, the first is delivered.</para>
/// <para>A packet that is not delivered is wiped: nothing of it can be read afterwards. Nothing here allocates, throws on a packet's
/// account, or reads a clock.</para>
/// </remarks>
public sealed unsafe class EspDecapsulator : IDisposable
{
    private readonly int _capacity;
    private EspDecapsulated* _packets;
    private EspCounters* _counters;
    private bool _completed;

    /// <summary>Makes a decapsulator.</summary>
    /// <param name="capacity">Most packets in a burst.</param>
    public EspDecapsulator(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AeadEngine.MaxInFlight);
        _capacity = capacity;
        _packets = (EspDecapsulated*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(EspDecapsulated), 64);
        _counters = (EspCounters*)NativeMemory.AlignedAlloc(EspCounters.SizeInBytes, 64);
        NativeMemory.Clear(_counters, EspCounters.SizeInBytes);
    }

    /// <summary>Packets added since <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>Packets dropped here, by reason, of every SA and of none.</summary>
    public ref readonly EspCounters Drops => ref *_counters;

    /// <summary>What became of packet number <paramref name="index"/>, in the order of adding; valid from <see cref="Complete"/> to <see cref="Clear"/>.</summary>
    public ref readonly EspDecapsulated this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return ref _packets[index];
        }
    }

    /// <summary>Adds the opening of a received packet to a burst.</summary>
    /// <param name="burst">Takes one operation.</param>
    /// <param name="sad">The lcore's SAs.</param>
    /// <param name="packet">Holds what the port received. If the status is <see cref="EspStatus.Added"/> it is the burst's until completion; else it is unchanged.</param>
    /// <param name="ingress">What the packet begins with.</param>
    public EspStatus TryAdd(AeadBurst burst, Sad sad, PacketBuffer* packet, EspIngress ingress = EspIngress.Esp)
    {
        if (Count == _capacity || burst.Count == burst.Capacity)
            return EspStatus.BurstFull;

        EspStatus status = Ingress.Locate(packet->Data, packet->Length, ingress, out Ingress.Location location, out EspDropReason reason);
        if (status != EspStatus.Added)
        {
            if (status == EspStatus.Dropped)
                _counters->Add(reason);
            return status;
        }
        // RFC 4303 §2.4: the ciphertext fills whole words. This also keeps every length below from becoming negative.
        if (location.Length < EspOverhead.MinimumPacket || (location.Length & 3) != 0)
        {
            _counters->Add(EspDropReason.Truncated);
            return EspStatus.Dropped;
        }
        byte* esp = packet->Data + location.Offset;
        if (!sad.TryFind(NetworkOrder.From(*(uint*)esp), out InboundSa* sa))
        {
            _counters->Add(EspDropReason.UnknownSpi);
            return EspStatus.Dropped;
        }
        reason = sa->CheckSequence(NetworkOrder.From(*(uint*)(esp + 4)), out ulong sequence);
        if (reason != EspDropReason.None)
        {
            CountDrop(sa, reason);
            return EspStatus.Dropped;
        }

        const int front = EspOverhead.Header + EspOverhead.Iv;
        packet->TryTrimFront(location.Offset + front);
        packet->TrySetLength(location.Length - front);

        int index = burst.Count;
        burst.TryAdd(out AeadOperation* operation);
        operation->Source = esp + front;
        operation->Destination = esp + front;
        operation->Key = sa->Key;
        operation->Length = (uint)(location.Length - front - EspOverhead.Icv);
        operation->Direction = AeadDirection.Open;
        operation->Status = AeadStatus.Pending;
        EspAead.WriteAad(operation, *(uint*)esp, sequence, sa->ExtendedSequenceNumbers);
        EspAead.WriteNonce(operation, sa->Salt, *(ulong*)(esp + EspOverhead.Header));
        operation->UserData = (uint)Count;

        sa->InFlight++;
        _packets[Count++] = new EspDecapsulated
        {
            Sequence = sequence,
            Index = index,
            OuterEcn = location.Ecn,
            Packet = packet,
            Sa = sa,
        };
        return EspStatus.Added;
    }

    /// <summary>Finishes the packets of a burst that has run: the window moves, trailers come off, inner packets are checked.</summary>
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
            EspDecapsulated* entry = _packets + i;
            entry->Sa->InFlight--;
            entry->Reason = Finish(entry, burst[entry->Index]);
            if (entry->Reason == EspDropReason.None)
                continue;
            NativeMemory.Clear(entry->Packet->Data, (nuint)entry->Packet->Length);
            entry->Packet->TrySetLength(0);
            CountDrop(entry->Sa, entry->Reason);
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

    private static EspDropReason Finish(EspDecapsulated* entry, AeadOperation* operation)
    {
        switch (operation->Status)
        {
            case AeadStatus.Success:
                break;
            case AeadStatus.AuthenticationFailed:
                return EspDropReason.AuthenticationFailed;
            default:
                return EspDropReason.EngineFailed;
        }
        // RFC 4303 §3.4.3: the window moves only for a packet whose ICV was right, whatever is wrong with it besides.
        EspDropReason reason = entry->Sa->Window.CheckAndSet(entry->Sequence);
        if (reason != EspDropReason.None)
            return reason;

        byte* inner = entry->Packet->Data;
        reason = Unwrap(inner, (int)operation->Length, out int length);
        if (reason != EspDropReason.None)
            return reason;
        if (entry->OuterEcn != Ecn.NotEct && !TryMergeEcn(inner, entry->OuterEcn))
            return EspDropReason.CongestionMarked;
        if (!entry->Sa->TryCount(length))
            return EspDropReason.LifetimeExpired;
        entry->Packet->TrySetLength(length);
        return EspDropReason.None;
    }

    /// <summary>Takes the trailer off the plaintext and measures the inner packet.</summary>
    private static EspDropReason Unwrap(byte* plaintext, int length, out int innerLength)
    {
        innerLength = 0;
        // Sound: MinimumPacket has left at least four bytes of plaintext.
        byte nextHeader = plaintext[length - 1];
        int padding = plaintext[length - 2];
        int payload = length - EspOverhead.Trailer - padding;
        if (payload < 0)
            return EspDropReason.BadPadding;
        for (int i = 0; i < padding; i++)
        {
            if (plaintext[payload + i] != i + 1)
                return EspDropReason.BadPadding;
        }
        // RFC 4303 §2.6: a dummy may hold anything.
        if (nextHeader == IpProtocol.NoNextHeader)
            return EspDropReason.Dummy;
        if (nextHeader is not (IpProtocol.IPv4 or IpProtocol.IPv6))
            return EspDropReason.UnsupportedNextHeader;
        // RFC 4303 §2.7: what lies between the inner packet's own length and the padding is traffic-flow-confidentiality padding.
        return InnerPacket.TryMeasure(plaintext, payload, out byte version, out innerLength) && version == nextHeader
            ? EspDropReason.None
            : EspDropReason.InnerMalformed;
    }

    private static bool TryMergeEcn(byte* inner, byte outerEcn)
    {
        byte before = (byte)(InnerPacket.TrafficClass(inner) & Ecn.Mask);
        if (!Ecn.TryDecapsulate(before, outerEcn, out byte after))
            return false;
        if (after != before)
            InnerPacket.SetEcn(inner, after);
        return true;
    }

    private void CountDrop(InboundSa* sa, EspDropReason reason)
    {
        _counters->Add(reason);
        sa->Counters.Add(reason);
    }
}
