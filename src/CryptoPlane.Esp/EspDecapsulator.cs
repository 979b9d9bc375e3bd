using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp.Selectors;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>A packet that was in a burst, as <see cref="EspDecapsulator"/> lists it.</summary>
public unsafe struct EspDecapsulated
{
    internal ulong Sequence;

    /// <summary>The packet's operation in the burst; -1 where it needed none.</summary>
    internal int Index;

    /// <summary>Bytes before the ESP header, where an IP header lies that transport mode keeps.</summary>
    internal ushort OuterLength;

    internal byte OuterEcn;

    /// <summary>The buffer: the inner packet, or empty if it was dropped. It is the caller's again.</summary>
    public PacketBuffer* Packet { get; internal set; }

    /// <summary>The SA that the packet came by.</summary>
    public InboundSa* Sa { get; internal set; }

    /// <summary><see cref="EspDropReason.None"/> for a packet to deliver, or why there is none.</summary>
    public EspDropReason Reason { get; internal set; }
}

/// <summary>
/// Opens ESP packets (RFC 4303) in bursts: every packet becomes one operation of an AEAD burst that it may share with
/// other SAs and other protocols, and is opened where it lies. What is delivered is one sound inner IP packet, cut to its own length.
/// </summary>
/// <remarks>
/// <para>Owned by one lcore. Call order: <see cref="AddBurst"/>, or <see cref="TryAdd"/> for every packet · <see cref="AeadBurst.Run"/> · <see cref="Complete"/>
/// · the results · <see cref="Clear"/> and <see cref="AeadBurst.Clear"/>. One instance serves one burst at a time: an lcore with
/// several bursts in flight has several, over one <see cref="Sad"/>.</para>
/// <para>The anti-replay window is asked before a packet is opened, so that a replayed one costs no cryptography, and asked again and
/// moved once its ICV has proved right: of two copies in one burst, or in two bursts in flight, the first is delivered.</para>
/// <para>A packet that is not delivered is wiped: nothing of it can be read afterwards. Nothing here allocates, throws on a packet's
/// account, or reads a clock.</para>
/// </remarks>
public sealed unsafe partial class EspDecapsulator : IDisposable
{
    private readonly int _capacity;
    private EspDecapsulated* _packets;
    private EspCounters* _counters;
    private bool _completed;

    // ---- what the steps of AddBurst tell each other: per ESP packet found
    private Located* _located;
    private uint* _spis;
    private InboundSa** _found;

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
        _located = (Located*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(Located), 64);
        _spis = (uint*)NativeMemory.AlignedAlloc((nuint)capacity * sizeof(uint), 64);
        _found = (InboundSa**)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(InboundSa*), 64);
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
        EspStatus status;
        return AddBurst(burst, sad, &packet, &ingress, 1, &status) == 1 ? status : EspStatus.BurstFull;
    }

    /// <summary>
    /// Adds the opening of received packets to a burst, in their order, as <see cref="TryAdd"/> does one by one; packets, places in the
    /// database, SAs, windows and keys are asked for over the whole burst, so that memory answers side by side.
    /// </summary>
    /// <param name="burst">Takes an operation per packet.</param>
    /// <param name="sad">The lcore's SAs.</param>
    /// <param name="packets">What ports received; those whose status is <see cref="EspStatus.Added"/> are the burst's until completion, the others unchanged.</param>
    /// <param name="ingresses">What each packet begins with.</param>
    /// <param name="count">How many packets.</param>
    /// <param name="statuses">Takes what became of each packet.</param>
    /// <returns>How many packets were dealt with, from the front; those behind found the burst full, and nothing of them was changed or counted.</returns>
    public int AddBurst(AeadBurst burst, Sad sad, PacketBuffer** packets, EspIngress* ingresses, int count, EspStatus* statuses)
    {
        int done = 0;
        while (done < count)
        {
            // As many as there is room for if all of them are good; the next round takes more where some were not.
            int now = Math.Min(count - done, Math.Min(_capacity - Count, burst.Capacity - burst.Count));
            if (now == 0)
                break;
            int located = Locate(packets + done, ingresses + done, now, statuses + done);
            sad.FindBurst(_spis, _found, located);
            int ahead = Math.Min(located, CacheLines.Ahead);
            for (int i = 0; i < ahead; i++)
                FetchWindowAndKey(_found[i], _located + i);
            int added = 0, submitted = 0, first = burst.Count;
            AeadOperation* operations = burst.Next;
            EspDecapsulated* entries = _packets + Count;
            for (int i = 0; i < located; i++)
            {
                if (i + CacheLines.Ahead < located)
                    FetchWindowAndKey(_found[i + CacheLines.Ahead], _located + i + CacheLines.Ahead);
                Located* packet = _located + i;
                EspStatus status = Prepare(_found[i], packet, operations + submitted, entries + added);
                statuses[done + packet->Number] = status;
                if (status != EspStatus.Added)
                    continue;
                entries[added].Index = (_found[i]->Form & SaForm.Cbc) != 0 ? -1 : first + submitted++;
                added++;
            }
            Count += added;
            burst.Advance(submitted);
            done += now;
        }
        return done;
    }

    /// <summary>Finishes the packets of a burst that has run: the window moves, trailers come off, inner packets are checked.</summary>
    /// <param name="burst">The burst that they were added to, all of them.</param>
    /// <exception cref="InvalidOperationException">An operation is still pending, or the packets were completed before.</exception>
    public void Complete(AeadBurst burst)
    {
        ArgumentNullException.ThrowIfNull(burst);
        if (_completed)
            throw new InvalidOperationException("These packets are complete: clear them before the next burst.");
        EspDecapsulated* end = _packets + Count;
        for (EspDecapsulated* entry = _packets; entry < end; entry++)
        {
            if (entry->Index >= 0 && burst[entry->Index]->Status == AeadStatus.Pending)
                throw new InvalidOperationException("Run the burst to its end, then complete its packets.");
        }
        for (EspDecapsulated* entry = _packets; entry < end; entry++)
        {
            entry->Sa->InFlight--;
            entry->Reason = entry->Index >= 0 ? Finish(entry, burst[entry->Index]) : FinishCbc(entry);
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
        NativeMemory.AlignedFree(_located);
        NativeMemory.AlignedFree(_spis);
        NativeMemory.AlignedFree(_found);
        _located = null;
        _spis = null;
        _found = null;
        _packets = null;
        _counters = null;
        Count = 0;
    }

    /// <summary>Finds the ESP packets among what came in, and notes where they lie.</summary>
    /// <returns>How many there are; the statuses of the others are written.</returns>
    private int Locate(PacketBuffer** packets, EspIngress* ingresses, int count, EspStatus* statuses)
    {
        int ahead = Math.Min(count, CacheLines.Ahead);
        for (int i = 0; i < ahead; i++)
            CacheLines.Fetch(packets[i]);
        int located = 0;
        for (int i = 0; i < count; i++)
        {
            if (i + CacheLines.Ahead < count)
                CacheLines.Fetch(packets[i + CacheLines.Ahead]);
            if (i + CacheLines.HalfAhead < count)
                CacheLines.Fetch(packets[i + CacheLines.HalfAhead]->Data);
            PacketBuffer* packet = packets[i];
            EspStatus status = Ingress.Locate(packet->Data, packet->Length, ingresses[i], out Ingress.Location location, out EspDropReason reason);
            // RFC 4303 §2.4: the ciphertext fills whole words. This also keeps every length below from becoming negative.
            if (status == EspStatus.Added && (location.Length < EspOverhead.MinimumPacket || (location.Length & 3) != 0))
            {
                status = EspStatus.Dropped;
                reason = EspDropReason.Truncated;
            }
            if (status != EspStatus.Added)
            {
                if (status == EspStatus.Dropped)
                    _counters->Add(reason);
                statuses[i] = status;
                continue;
            }
            byte* esp = packet->Data + location.Offset;
            _spis[located] = NetworkOrder.From(*(uint*)esp);
            Located* entry = _located + located++;
            entry->Packet = packet;
            entry->Esp = esp;
            entry->SequenceLow = NetworkOrder.From(*(uint*)(esp + 4));
            entry->Length = location.Length;
            entry->Offset = (ushort)location.Offset;
            entry->Number = (ushort)i;
            entry->Ecn = location.Ecn;
        }
        return located;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchWindowAndKey(InboundSa* sa, Located* packet)
    {
        if (sa == null)
            return;
        CacheLines.Fetch(sa->Window.WordOf(packet->SequenceLow));
        if (sa->SelectorKind != SelectorKind.Any)
            CacheLines.Fetch((byte*)sa + InboundSa.CacheLine);
        sa->Key.Prefetch();
    }

    /// <summary>Asks the window, cuts the packet to what is encrypted, and fills in the operation that opens it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private EspStatus Prepare(InboundSa* sa, Located* located, AeadOperation* operation, EspDecapsulated* entry)
    {
        if (sa == null)
        {
            _counters->Add(EspDropReason.UnknownSpi);
            return EspStatus.Dropped;
        }
        byte* esp = located->Esp;
        EspDropReason reason = sa->CheckSequence(located->SequenceLow, out ulong sequence);
        if (reason != EspDropReason.None)
        {
            CountDrop(sa, reason);
            return EspStatus.Dropped;
        }

        entry->Sequence = sequence;
        entry->OuterEcn = located->Ecn;
        entry->OuterLength = located->Offset;
        entry->Packet = located->Packet;
        entry->Sa = sa;
        entry->Reason = EspDropReason.None;
        if (sa->Form != SaForm.AeadTunnel)
        {
            reason = (sa->Form & SaForm.Cbc) != 0 ? OpenCbc(sa, located, entry) : CheckHeader(sa, located);
            if (reason != EspDropReason.None)
            {
                CountDrop(sa, reason);
                return EspStatus.Dropped;
            }
            if ((sa->Form & SaForm.Cbc) != 0)
                return EspStatus.Added;
        }

        const int front = EspOverhead.Header + EspOverhead.Iv;
        PacketBuffer* packet = located->Packet;
        packet->TryTrimFront(located->Offset + front);
        packet->TrySetLength(located->Length - front);

        operation->Source = esp + front;
        operation->Destination = esp + front;
        operation->Key = sa->Key;
        operation->Length = (uint)(located->Length - front - EspOverhead.Icv);
        operation->Direction = AeadDirection.Open;
        operation->Status = AeadStatus.Pending;
        EspAead.WriteAad(operation, *(uint*)esp, sequence, sa->ExtendedSequenceNumbers);
        EspAead.WriteNonce(operation, sa->Salt, *(ulong*)(esp + EspOverhead.Header));

        sa->InFlight++;
        return EspStatus.Added;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
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
        return Accept(entry, (int)operation->Length);
    }

    /// <summary>Accepts a packet whose ICV was right, and makes an IP packet of it.</summary>
    /// <param name="entry">The packet, which holds the plaintext.</param>
    /// <param name="sealedLength">Bytes of the plaintext, with padding and trailer.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static EspDropReason Accept(EspDecapsulated* entry, int sealedLength)
    {
        // RFC 4303 §3.4.3: the window moves only for a packet whose ICV was right, whatever is wrong with it besides.
        EspDropReason reason = entry->Sa->Window.CheckAndSet(entry->Sequence);
        if (reason != EspDropReason.None)
            return reason;

        reason = (entry->Sa->Form & SaForm.Transport) != 0
            ? UnwrapTransport(entry, sealedLength, out int length)
            : Unwrap(entry->Packet->Data, sealedLength, out length);
        if (reason != EspDropReason.None)
            return reason;
        byte* inner = entry->Packet->Data;
        // RFC 4301 §5.2, step 4: a peer may send by its SA what it was granted, and nothing else.
        if (!entry->Sa->Admits(inner, length))
            return EspDropReason.SelectorMismatch;
        if (entry->OuterEcn != Ecn.NotEct && !TryMergeEcn(inner, entry->OuterEcn))
            return EspDropReason.CongestionMarked;
        if (!entry->Sa->TryCount(length))
            return EspDropReason.LifetimeExpired;
        entry->Packet->TrySetLength(length);
        return EspDropReason.None;
    }

    /// <summary>Takes the trailer off the plaintext and measures the inner packet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static EspDropReason Unwrap(byte* plaintext, int length, out int innerLength)
    {
        innerLength = 0;
        // Sound: MinimumPacket has left at least four bytes of plaintext.
        byte nextHeader = plaintext[length - 1];
        int padding = plaintext[length - 2];
        int payload = length - EspOverhead.Trailer - padding;
        if (payload < 0)
            return EspDropReason.BadPadding;
        if (!IsPadding(plaintext + payload, padding))
            return EspDropReason.BadPadding;
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

    /// <summary>Whether padding is 1, 2, 3, … (RFC 4303 §2.4).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsPadding(byte* padding, int length)
    {
        // Sound: behind the padding lie the trailer's two bytes and the 16 of the ICV.
        if (length <= 3)
            return ((NetworkOrder.From(*(uint*)padding) ^ 0x01020300u) & ~(uint.MaxValue >> (8 * length))) == 0;
        for (int i = 0; i < length; i++)
        {
            if (padding[i] != i + 1)
                return false;
        }
        return true;
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
        sa->Cold->Counters.Add(reason);
    }

    /// <summary>An ESP packet among what came in.</summary>
    private struct Located
    {
        public PacketBuffer* Packet;
        public byte* Esp;
        public uint SequenceLow;

        /// <summary>From the ESP header to the end of the ICV.</summary>
        public int Length;

        /// <summary>Bytes before the ESP header: of IP, its extension headers, and UDP.</summary>
        public ushort Offset;

        /// <summary>Its place among what came in, below <see cref="AeadEngine.MaxInFlight"/>.</summary>
        public ushort Number;

        public byte Ecn;
    }
}
