using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Cbc;
using CryptoPlane.Esp.Selectors;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>
/// The outbound half of a security association, in native memory: made on a control thread, then used by one lcore alone.
/// </summary>
/// <remarks>
/// <code>
/// | this struct: 2 lines                                  | cold: 2 lines of limits and links, 3 of drop counters |
/// | numbers, checkpoints, salt, SPI | outer header, built |   at limits, at drops, on the control path
///   every packet: read and written    every packet: read
/// </code>
/// <para>Life: <see cref="Create"/> on a control thread · the pointer goes to the lcore in a message · <see cref="Sad.Add(OutboundSa*)"/>
/// · <see cref="EspEncapsulator.AddBurst"/> · <see cref="Sad.Remove(OutboundSa*)"/>, which frees it.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct OutboundSa
{
    /// <summary>Size of the struct, which is all that a packet touches: two cache lines, which the CPU fetches as a pair.</summary>
    public const int SizeInBytes = 2 * CacheLine;

    /// <summary>Bytes of an SA with its cold part.</summary>
    internal const int BlockSize = SizeInBytes + OutboundSaCold.SizeInBytes;

    internal const int CacheLine = 64;

    // ---- line 0: read and written for every packet
    [FieldOffset(0)] internal AeadKeyHandle Key;
    /// <summary>In the same place, for <see cref="SaForm.Cbc"/>.</summary>
    [FieldOffset(0)] internal CbcHmacKey* Cbc;
    [FieldOffset(8)] private ulong _sequence;
    [FieldOffset(16)] private ulong _sequenceCheckpoint;
    [FieldOffset(24)] private ulong _bytes;
    [FieldOffset(32)] private ulong _bytesCheckpoint;
    /// <summary>As on the wire.</summary>
    [FieldOffset(40)] internal uint Salt;
    /// <summary>As on the wire.</summary>
    [FieldOffset(44)] internal uint SpiOnWire;
    [FieldOffset(48)] private bool _isExtended;
    /// <summary>As <see cref="Outer"/> says, which a completion need not touch then.</summary>
    [FieldOffset(49)] internal bool NeedsUdpChecksum;
    [FieldOffset(50)] internal SaForm Form;
    /// <summary>Packets in a burst; the SA is not freed before they have completed.</summary>
    [FieldOffset(52)] internal int InFlight;
    [FieldOffset(56)] private ulong _userData;

    // ---- line 1: read for every packet
    [FieldOffset(CacheLine)] internal OuterHeader Outer;

    /// <summary>Makes an SA, which the caller owns until a <see cref="Sad"/> takes it. Control threads only.</summary>
    /// <param name="parameters">What the SA is to be.</param>
    /// <param name="keyingMaterial">The key, then the salt; the caller zeroes its own copy.</param>
    /// <param name="arena">The memory for it, where its lcore has many; null for the heap.</param>
    /// <exception cref="ArgumentException">A parameter is out of range or missing; the text says which.</exception>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    public static OutboundSa* Create(OutboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial, SaArena? arena = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate(keyingMaterial);
        ulong max = parameters.ExtendedSequenceNumbers ? ulong.MaxValue : uint.MaxValue;
        if (parameters.FirstSequence == 0 || parameters.FirstSequence > max)
            throw new ArgumentException($"Sequence numbers of this SA go from 1 to {max}: {parameters.FirstSequence} cannot be the first.", nameof(parameters));
        OuterHeader outer = OuterHeader.From(parameters);

        SlotArena.State* home = null;
        var sa = (OutboundSa*)(arena != null ? arena.TakeOutbound(out home) : SaHeap.Allocate(BlockSize));
        OutboundSaCold* cold = sa->Cold;
        cold->Arena = home;
        // RFC 4303 §3.3.3: time for a new SA before the numbers end, whatever the owner's limits are.
        cold->Limits = SaLimits.From(parameters.Lifetime, Math.Max(max - (max / 16), parameters.FirstSequence) - parameters.FirstSequence + 1);
        cold->SequenceMax = max;
        cold->SequenceLimit = parameters.SequenceLimit;
        sa->_sequence = cold->SequenceBase = parameters.FirstSequence - 1;
        sa->_isExtended = parameters.ExtendedSequenceNumbers;
        sa->_userData = parameters.UserData;
        sa->Form = parameters.Form;
        sa->SpiOnWire = NetworkOrder.From(parameters.Spi);
        sa->Outer = outer;
        sa->NeedsUdpChecksum = outer.NeedsUdpChecksum;
        sa->SetCheckpoints();
        if (SelectorLine.KindOf(parameters.RemoteSelectors, parameters.LocalSelectors) != SelectorKind.Any)
            cold->Selectors = SelectorTable.Create(parameters.RemoteSelectors, parameters.LocalSelectors);
        try
        {
            if (parameters.Algorithm is AeadAlgorithm aead)
            {
                sa->Key = SaHeap.CreateKey(aead, keyingMaterial[..^SaParameters.SaltSize], arena);
                sa->Salt = MemoryMarshal.Read<uint>(keyingMaterial[^SaParameters.SaltSize..]);
            }
            else
            {
                sa->Cbc = CbcHmacKey.Create(keyingMaterial[..^CbcHmacKey.IntegrityKey], keyingMaterial[^CbcHmacKey.IntegrityKey..], seals: true);
            }
        }
        catch
        {
            sa->FreeBlock();
            throw;
        }
        return sa;
    }

    /// <summary>Frees an SA that no <see cref="Sad"/> has taken (the lcore could not be reached, the configuration was withdrawn).</summary>
    /// <param name="sa">Null does nothing.</param>
    /// <param name="engine">Frees the key: any engine of the calling thread, if the SA was never used.</param>
    public static void Free(OutboundSa* sa, AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (sa == null)
            return;
        if (sa->InFlight != 0)
            throw new InvalidOperationException("Packets of this SA are in a burst: complete it before freeing the SA.");
        if ((sa->Form & SaForm.Cbc) != 0)
            CbcHmacKey.Free(sa->Cbc);
        else
            engine.Retire(sa->Key);
        sa->FreeBlock();
    }

    /// <summary>The peer's SPI.</summary>
    public readonly uint Spi => NetworkOrder.From(SpiOnWire);

    /// <summary>Whether sequence numbers have 64 bits.</summary>
    public readonly bool ExtendedSequenceNumbers => _isExtended;

    /// <summary>What the owner gave with the parameters.</summary>
    public readonly ulong UserData => _userData;

    /// <summary>The last sequence number used; one less than the first, if none was.</summary>
    public readonly ulong Sequence => _sequence;

    /// <summary>Last sequence number reserved for this SA.</summary>
    public readonly ulong SequenceLimit => Cold->SequenceLimit;

    /// <summary>Packets that may still be sent before <see cref="EspStatus.SequenceLimitReached"/>: ask for the next block in good time.</summary>
    public readonly ulong SequencesLeft => Math.Min(Cold->SequenceLimit, Cold->SequenceMax) is var last && last > _sequence ? last - _sequence : 0;

    /// <summary>Packets sealed, or at least given a sequence number.</summary>
    public readonly ulong Packets => _sequence - Cold->SequenceBase;

    /// <summary>Bytes of the inner packets that <see cref="Packets"/> counts.</summary>
    public readonly ulong Bytes => _bytes;

    /// <summary>Set once a soft limit was passed: time for a new SA.</summary>
    public readonly bool SoftLifetimeReached => Cold->Limits.SoftReached;

    /// <summary>Set once a packet met a hard limit or the end of the sequence numbers: nothing more is sent.</summary>
    public readonly bool HardLifetimeReached => Cold->Limits.HardReached;

    /// <summary>Longest packet that the SA makes, with the headers that it makes itself.</summary>
    public readonly int MaxPacket => Outer.MaxPacket;

    /// <summary>Longest inner packet that it takes: what goes into the ICMP message about one that is too long (RFC 4301 §8.2.1).</summary>
    public readonly int MaxInnerPacket
    {
        get
        {
            int unit = (Form & SaForm.Cbc) != 0 ? EspOverhead.CbcIv : sizeof(uint);
            int room = Outer.MaxPacket - Outer.Length - EspOverhead.Header - EspOverhead.Icv - ((Form & SaForm.Cbc) != 0 ? EspOverhead.CbcIv : EspOverhead.Iv);
            // RFC 4303 §2.4: what is sealed, padding and trailer fill whole words, or blocks of the cipher.
            if ((Form & SaForm.Transport) == 0)
                return (room & -unit) - EspOverhead.Trailer;
            if (!Outer.KeepsHeader)
                return (room & -unit) - EspOverhead.Trailer + EspOverhead.IPv4;
            // A header that stays outside counts in the packet, but not in the words: it may be IPv4's or IPv6's.
            return Math.Min(WithHeader(EspOverhead.IPv4), WithHeader(EspOverhead.IPv6));

            int WithHeader(int header) => ((room - header) & -unit) - EspOverhead.Trailer + header;
        }
    }

    /// <summary>Packets dropped, by reason.</summary>
    [UnscopedRef]
    public readonly ref readonly EspCounters Drops => ref Cold->Counters;

    /// <summary>The part of the SA that packets leave alone, behind this struct.</summary>
    // Sound: an SA lies in a block of BlockSize bytes of native memory, which the garbage collector does not move.
    internal readonly OutboundSaCold* Cold => (OutboundSaCold*)((OutboundSa*)Unsafe.AsPointer(ref Unsafe.AsRef(in this)) + 1);

    /// <summary>The path between the peers takes packets of another length from now on (RFC 4301 §8.2.2). On the SA's lcore.</summary>
    /// <param name="maxPacket">As <see cref="OutboundSaParameters.MaxPacket"/>.</param>
    /// <exception cref="ArgumentException">No inner packet would fit.</exception>
    public void SetMaxPacket(int maxPacket) => Outer.MaxPacket = OuterHeader.LimitOf(maxPacket);

    /// <summary>Allows sequence numbers up to and including <paramref name="limit"/>, which the owner has reserved durably.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below the one in force: what was reserved may have been used.</exception>
    public void RaiseSequenceLimit(ulong limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, Cold->SequenceLimit);
        Cold->SequenceLimit = limit;
        SetCheckpoints();
    }

    /// <summary>
    /// Whether the SA's selectors let an inner packet pass (RFC 4301 §5.1): for the owner, who chooses each packet's SA. Sealing does not
    /// ask.
    /// </summary>
    /// <param name="packet">Holds an IP packet; what is none does not pass.</param>
    public readonly bool Admits(PacketBuffer* packet) =>
        InnerPacket.TryMeasure(packet->Data, packet->Length, out _, out int length)
        && (Cold->Selectors == null || SelectorTable.AdmitsOutbound(Cold->Selectors, packet->Data, length));

    /// <summary>Takes the next sequence number for a packet, if there is one: no number is ever given twice.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal EspStatus TakeSequence(int innerLength, out ulong sequence)
    {
        if (_sequence >= _sequenceCheckpoint || _bytes + (uint)innerLength > _bytesCheckpoint)
        {
            EspStatus status = PassCheckpoint(_bytes + (uint)innerLength);
            if (status != EspStatus.Added)
            {
                sequence = 0;
                return status;
            }
        }
        sequence = ++_sequence;
        _bytes += (uint)innerLength;
        return EspStatus.Added;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private EspStatus PassCheckpoint(ulong bytes)
    {
        // RFC 4303 §3.3.3: a sender must not let the number cycle. The comparison is with the last number used, which cannot overflow.
        if (_sequence >= Cold->SequenceMax)
        {
            Cold->Limits.Expire();
            Tell();
            return EspStatus.SequenceExhausted;
        }
        if (_sequence >= Cold->SequenceLimit)
            return EspStatus.SequenceLimitReached;
        bool passes = Cold->Limits.TryPass(Packets, bytes);
        Tell();
        if (!passes)
            return EspStatus.LifetimeExpired;
        SetCheckpoints();
        return EspStatus.Added;
    }

    /// <summary>Puts the SA on its database's list if it has something to tell.</summary>
    internal void Tell()
    {
        OutboundSaCold* cold = Cold;
        if (cold->Notices == null || !cold->Limits.TryList())
            return;
        cold->NextNotice = cold->Notices->Outbound;
        // Sound: an SA lies in native memory, which the garbage collector does not move.
        cold->Notices->Outbound = (OutboundSa*)Unsafe.AsPointer(ref this);
    }

    /// <summary>Frees what the SA owns but for its key, then the SA.</summary>
    private void FreeBlock()
    {
        SelectorTable.Free(Cold->Selectors);
        // Sound: an SA lies in a block of native memory, which begins with this struct and which the garbage collector does not move.
        SaHeap.Free(Unsafe.AsPointer(ref this), BlockSize, Cold->Arena);
    }

    private void SetCheckpoints()
    {
        OutboundSaCold* cold = Cold;
        ulong packets = cold->Limits.NextPackets;
        ulong byLifetime = packets > ulong.MaxValue - cold->SequenceBase ? ulong.MaxValue : cold->SequenceBase + packets;
        _sequenceCheckpoint = Math.Min(byLifetime, Math.Min(cold->SequenceMax, cold->SequenceLimit));
        _bytesCheckpoint = cold->Limits.NextBytes;
    }
}
