using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Esp.Wire;

namespace CryptoPlane.Esp;

/// <summary>
/// The outbound half of a security association, in native memory: made on a control thread, then used by one lcore alone.
/// </summary>
/// <remarks>
/// <para>The first cache line is all that a packet writes and, with the outer header in the second, all that it reads; limits and
/// counters lie behind.</para>
/// <para>Life: <see cref="Create"/> on a control thread · the pointer goes to the lcore in a message · <see cref="Sad.Add(OutboundSa*)"/>
/// · <see cref="EspEncapsulator.TryAdd"/> · <see cref="Sad.Remove(OutboundSa*)"/>, which frees it.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct OutboundSa
{
    /// <summary>Size of the struct: two cache lines for every packet, two for limits and links, three of counters.</summary>
    public const int SizeInBytes = CountersOffset + EspCounters.SizeInBytes;

    internal const int ColdOffset = 2 * CacheLine;
    internal const int CountersOffset = 4 * CacheLine;

    private const int CacheLine = 64;
    private const byte EsnFlag = 1;

    // ---- line 0: read and written for every packet
    [FieldOffset(0)] internal AeadKeyHandle Key;
    [FieldOffset(8)] private ulong _sequence;
    [FieldOffset(16)] private ulong _sequenceCheckpoint;
    [FieldOffset(24)] private ulong _bytes;
    [FieldOffset(32)] private ulong _bytesCheckpoint;
    /// <summary>As on the wire.</summary>
    [FieldOffset(40)] internal uint Salt;
    /// <summary>As on the wire.</summary>
    [FieldOffset(44)] internal uint SpiOnWire;
    [FieldOffset(48)] private byte _flags;
    /// <summary>Operations in a burst; the SA is not freed before they have completed.</summary>
    [FieldOffset(52)] internal int InFlight;
    [FieldOffset(56)] private ulong _userData;

    // ---- line 1: read for every packet
    [FieldOffset(CacheLine)] internal OuterHeader Outer;

    // ---- lines 2 and 3: at limits and on the control path
    [FieldOffset(ColdOffset)] private ulong _sequenceMax;
    [FieldOffset(ColdOffset + 8)] private ulong _sequenceLimit;
    [FieldOffset(ColdOffset + 16)] private ulong _sequenceBase;
    [FieldOffset(ColdOffset + 24)] private SaLimits _limits;
    [FieldOffset(ColdOffset + 64)] internal OutboundSa* Next;
    [FieldOffset(ColdOffset + 72)] internal OutboundSa* Previous;

    [FieldOffset(CountersOffset)] internal EspCounters Counters;

    /// <summary>Makes an SA, which the caller owns until a <see cref="Sad"/> takes it. Control threads only.</summary>
    /// <param name="parameters">What the SA is to be.</param>
    /// <param name="keyingMaterial">The key, then the salt; the caller zeroes its own copy.</param>
    /// <exception cref="ArgumentException">A parameter is out of range or missing; the text says which.</exception>
    public static OutboundSa* Create(OutboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate(keyingMaterial);
        ulong max = parameters.ExtendedSequenceNumbers ? ulong.MaxValue : uint.MaxValue;
        if (parameters.FirstSequence == 0 || parameters.FirstSequence > max)
            throw new ArgumentException($"Sequence numbers of this SA go from 1 to {max}: {parameters.FirstSequence} cannot be the first.", nameof(parameters));
        OuterHeader outer = OuterHeader.From(parameters);

        int keySize = AeadSizes.Key(parameters.Algorithm);
        var sa = (OutboundSa*)NativeMemory.AlignedAlloc(SizeInBytes, CacheLine);
        NativeMemory.Clear(sa, SizeInBytes);
        sa->Key = AeadKey.CreateDetached(parameters.Algorithm, keyingMaterial[..keySize]);
        sa->Salt = MemoryMarshal.Read<uint>(keyingMaterial[keySize..]);
        sa->SpiOnWire = NetworkOrder.From(parameters.Spi);
        sa->_flags = parameters.ExtendedSequenceNumbers ? EsnFlag : (byte)0;
        sa->_userData = parameters.UserData;
        sa->Outer = outer;
        sa->_sequence = sa->_sequenceBase = parameters.FirstSequence - 1;
        sa->_sequenceMax = max;
        sa->_sequenceLimit = parameters.SequenceLimit;
        sa->_limits = SaLimits.From(parameters.Lifetime);
        sa->SetCheckpoints();
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
        engine.Retire(sa->Key);
        NativeMemory.Clear(sa, SizeInBytes);
        NativeMemory.AlignedFree(sa);
    }

    /// <summary>The peer's SPI.</summary>
    public readonly uint Spi => NetworkOrder.From(SpiOnWire);

    /// <summary>Whether sequence numbers have 64 bits.</summary>
    public readonly bool ExtendedSequenceNumbers => (_flags & EsnFlag) != 0;

    /// <summary>What the owner gave with the parameters.</summary>
    public readonly ulong UserData => _userData;

    /// <summary>The last sequence number used; one less than the first, if none was.</summary>
    public readonly ulong Sequence => _sequence;

    /// <summary>Last sequence number reserved for this SA.</summary>
    public readonly ulong SequenceLimit => _sequenceLimit;

    /// <summary>Packets that may still be sent before <see cref="EspStatus.SequenceLimitReached"/>: ask for the next block in good time.</summary>
    public readonly ulong SequencesLeft => Math.Min(_sequenceLimit, _sequenceMax) is var last && last > _sequence ? last - _sequence : 0;

    /// <summary>Packets sealed, or at least given a sequence number.</summary>
    public readonly ulong Packets => _sequence - _sequenceBase;

    /// <summary>Bytes of the inner packets that <see cref="Packets"/> counts.</summary>
    public readonly ulong Bytes => _bytes;

    /// <summary>Set once a soft limit was passed: time for a new SA.</summary>
    public readonly bool SoftLifetimeReached => _limits.SoftReached;

    /// <summary>Packets dropped, by reason.</summary>
    [UnscopedRef]
    public readonly ref readonly EspCounters Drops => ref Counters;

    /// <summary>Allows sequence numbers up to and including <paramref name="limit"/>, which the owner has reserved durably.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The limit is below the one in force: what was reserved may have been used.</exception>
    public void RaiseSequenceLimit(ulong limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, _sequenceLimit);
        _sequenceLimit = limit;
        SetCheckpoints();
    }

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
        if (_sequence >= _sequenceMax)
            return EspStatus.SequenceExhausted;
        if (_sequence >= _sequenceLimit)
            return EspStatus.SequenceLimitReached;
        if (!_limits.TryPass(Packets, bytes))
            return EspStatus.LifetimeExpired;
        SetCheckpoints();
        return EspStatus.Added;
    }

    private void SetCheckpoints()
    {
        ulong packets = _limits.NextPackets;
        ulong byLifetime = packets > ulong.MaxValue - _sequenceBase ? ulong.MaxValue : _sequenceBase + packets;
        _sequenceCheckpoint = Math.Min(byLifetime, Math.Min(_sequenceMax, _sequenceLimit));
        _bytesCheckpoint = _limits.NextBytes;
    }
}
