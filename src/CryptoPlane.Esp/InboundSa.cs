using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp;

/// <summary>
/// The inbound half of a security association, in native memory: made on a control thread, then used by one lcore alone.
/// </summary>
/// <remarks>
/// <para>The first two cache lines serve every packet; behind them lie limits and counters, and behind the struct the bitmap of the
/// anti-replay window.</para>
/// <para>Life: <see cref="Create"/> on a control thread · the pointer goes to the lcore in a message · <see cref="Sad.Add(InboundSa*)"/>
/// · packets · <see cref="Sad.Remove(InboundSa*)"/>, which frees it.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct InboundSa
{
    /// <summary>Size of the struct without the window's bitmap: two cache lines for every packet, one of limits and links, three of counters.</summary>
    public const int SizeInBytes = CountersOffset + EspCounters.SizeInBytes;

    internal const int ColdOffset = 2 * CacheLine;
    internal const int CountersOffset = 3 * CacheLine;

    private const int CacheLine = 64;
    private const byte EsnFlag = 1;

    // ---- line 0: what the check before opening reads
    [FieldOffset(0)] internal AeadKeyHandle Key;
    [FieldOffset(8)] internal AntiReplayWindow Window;
    /// <summary>As on the wire.</summary>
    [FieldOffset(32)] internal uint Salt;
    [FieldOffset(36)] private uint _spi;
    [FieldOffset(40)] private byte _flags;
    /// <summary>Operations in a burst; the SA is not freed before they have completed.</summary>
    [FieldOffset(44)] internal int InFlight;
    [FieldOffset(48)] private ulong _userData;

    // ---- line 1: what the completion writes
    [FieldOffset(CacheLine)] private ulong _packets;
    [FieldOffset(CacheLine + 8)] private ulong _bytes;
    [FieldOffset(CacheLine + 16)] private ulong _packetsCheckpoint;
    [FieldOffset(CacheLine + 24)] private ulong _bytesCheckpoint;

    // ---- line 2: at limits and on the control path
    [FieldOffset(ColdOffset)] private SaLimits _limits;
    [FieldOffset(ColdOffset + 40)] private nuint _allocated;
    [FieldOffset(ColdOffset + 48)] internal InboundSa* NextRemoved;

    [FieldOffset(CountersOffset)] internal EspCounters Counters;

    /// <summary>Makes an SA, which the caller owns until a <see cref="Sad"/> takes it. Control threads only.</summary>
    /// <param name="parameters">What the SA is to be.</param>
    /// <param name="keyingMaterial">The key, then the salt; the caller zeroes its own copy.</param>
    /// <exception cref="ArgumentException">A parameter is out of range; the text says which.</exception>
    public static InboundSa* Create(InboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate(keyingMaterial);
        if (!parameters.ExtendedSequenceNumbers && parameters.HighestSequence > uint.MaxValue)
            throw new ArgumentException("Without extended sequence numbers the highest one has at most 32 bits.", nameof(parameters));
        int words = AntiReplayWindow.RingWords(parameters.ReplayWindow);

        int keySize = AeadSizes.Key(parameters.Algorithm);
        nuint bytes = SizeInBytes + ((nuint)words * sizeof(ulong));
        var sa = (InboundSa*)NativeMemory.AlignedAlloc(bytes, CacheLine);
        NativeMemory.Clear(sa, bytes);
        sa->_allocated = bytes;
        sa->Key = AeadKey.CreateDetached(parameters.Algorithm, keyingMaterial[..keySize]);
        sa->Salt = MemoryMarshal.Read<uint>(keyingMaterial[keySize..]);
        sa->_spi = parameters.Spi;
        sa->_flags = parameters.ExtendedSequenceNumbers ? EsnFlag : (byte)0;
        sa->_userData = parameters.UserData;
        sa->_limits = SaLimits.From(parameters.Lifetime);
        sa->SetCheckpoints();
        // Sound: the ring is the part of this very block behind the struct, and is freed with it.
        sa->Window.Initialize((ulong*)(sa + 1), parameters.ReplayWindow, parameters.HighestSequence);
        return sa;
    }

    /// <summary>Frees an SA that no <see cref="Sad"/> has taken (the lcore could not be reached, the SPI was in use).</summary>
    /// <param name="sa">Null does nothing.</param>
    /// <param name="engine">Frees the key: any engine of the calling thread, if the SA was never used.</param>
    public static void Free(InboundSa* sa, AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (sa == null)
            return;
        if (sa->InFlight != 0)
            throw new InvalidOperationException("Packets of this SA are in a burst: complete it before freeing the SA.");
        engine.Retire(sa->Key);
        NativeMemory.Clear(sa, sa->_allocated);
        NativeMemory.AlignedFree(sa);
    }

    /// <summary>Our SPI.</summary>
    public readonly uint Spi => _spi;

    /// <summary>Whether sequence numbers have 64 bits.</summary>
    public readonly bool ExtendedSequenceNumbers => (_flags & EsnFlag) != 0;

    /// <summary>What the owner gave with the parameters.</summary>
    public readonly ulong UserData => _userData;

    /// <summary>Highest sequence number received.</summary>
    public readonly ulong HighestSequence => Window.Highest;

    /// <summary>Packets delivered.</summary>
    public readonly ulong Packets => _packets;

    /// <summary>Bytes of the inner packets delivered.</summary>
    public readonly ulong Bytes => _bytes;

    /// <summary>Set once a soft limit was passed: time for a new SA.</summary>
    public readonly bool SoftLifetimeReached => _limits.SoftReached;

    /// <summary>Packets dropped, by reason.</summary>
    [UnscopedRef]
    public readonly ref readonly EspCounters Drops => ref Counters;

    /// <summary>The sequence number of a packet that carries <paramref name="low"/>, if it could be accepted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly EspDropReason CheckSequence(uint low, out ulong sequence)
    {
        sequence = low;
        if (ExtendedSequenceNumbers && !Window.TryExtend(low, out sequence))
            return EspDropReason.Late;
        return Window.Check(sequence);
    }

    /// <summary>Counts a packet that is about to be delivered, if the SA's lifetime allows it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryCount(int innerLength)
    {
        ulong bytes = _bytes + (uint)innerLength;
        if (_packets >= _packetsCheckpoint || bytes > _bytesCheckpoint)
        {
            if (!_limits.TryPass(_packets, bytes))
                return false;
            SetCheckpoints();
        }
        _packets++;
        _bytes = bytes;
        return true;
    }

    private void SetCheckpoints()
    {
        _packetsCheckpoint = _limits.NextPackets;
        _bytesCheckpoint = _limits.NextBytes;
    }
}
