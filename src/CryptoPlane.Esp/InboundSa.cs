using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Cbc;
using CryptoPlane.Esp.Selectors;

namespace CryptoPlane.Esp;

/// <summary>
/// The inbound half of a security association, in native memory: made on a control thread, then used by one lcore alone.
/// </summary>
/// <remarks>
/// <code>
/// | this struct: 2 lines      | bitmap of the window: 1 line to 16 | cold: 1 line of limits and links, 3 of drop counters |
/// | every packet | selectors  |   every packet, one word of it         at limits, at drops, on the control path
/// </code>
/// <para>Life: <see cref="Create"/> on a control thread · the pointer goes to the lcore in a message · <see cref="Sad.Add(InboundSa*)"/>
/// · packets · <see cref="Sad.Remove(InboundSa*)"/>, which frees it.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct InboundSa
{
    /// <summary>
    /// Size of the struct: a cache line that every packet touches besides one word of the bitmap, and one for SAs with selectors, which
    /// the CPU fetches as a pair.
    /// </summary>
    public const int SizeInBytes = 2 * CacheLine;

    internal const int CacheLine = 64;

    /// <summary>More than any inner packet has.</summary>
    private const ulong MaxInnerLength = 1 << 17;

    [FieldOffset(0)] internal AeadKeyHandle Key;
    /// <summary>In the same place, for <see cref="SaForm.Cbc"/>.</summary>
    [FieldOffset(0)] internal CbcHmacKey* Cbc;
    [FieldOffset(8)] internal AntiReplayWindow Window;
    /// <summary>As on the wire.</summary>
    [FieldOffset(28)] internal uint Salt;
    [FieldOffset(32)] private ulong _packets;
    [FieldOffset(40)] private ulong _bytes;
    [FieldOffset(48)] private ulong _userData;
    /// <summary>Operations in a burst; the SA is not freed before they have completed.</summary>
    [FieldOffset(56)] internal int InFlight;
    /// <summary>Packets that can pass, however long they are, before the limits must be looked at.</summary>
    [FieldOffset(60)] private ushort _uncheckedPackets;
    [FieldOffset(62)] internal SelectorKind SelectorKind;
    [FieldOffset(63)] internal SaForm Form;

    // ---- line 1: read for every packet, unless the SA may carry everything
    [FieldOffset(CacheLine)] internal SelectorLine Selectors;

    /// <summary>Makes an SA, which the caller owns until a <see cref="Sad"/> takes it. Control threads only.</summary>
    /// <param name="parameters">What the SA is to be.</param>
    /// <param name="keyingMaterial">The key, then the salt; the caller zeroes its own copy.</param>
    /// <param name="arena">The memory for it, where its lcore has many; null for the heap.</param>
    /// <exception cref="ArgumentException">A parameter is out of range; the text says which.</exception>
    /// <exception cref="InvalidOperationException">The arena is full.</exception>
    public static InboundSa* Create(InboundSaParameters parameters, ReadOnlySpan<byte> keyingMaterial, SaArena? arena = null)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        parameters.Validate(keyingMaterial);
        if (!parameters.ExtendedSequenceNumbers && parameters.HighestSequence > uint.MaxValue)
            throw new ArgumentException("Without extended sequence numbers the highest one has at most 32 bits.", nameof(parameters));
        int words = AntiReplayWindow.RingWords(parameters.ReplayWindow);

        SlotArena.State* home = null;
        var sa = (InboundSa*)(arena != null ? arena.TakeInbound(parameters.ReplayWindow, out home) : SaHeap.Allocate(BlockSize(words)));
        // Sound: the ring is the part of this very block behind the struct, and is freed with it; the cold part is behind the ring.
        sa->Window.Initialize((ulong*)(sa + 1), parameters.ReplayWindow, parameters.HighestSequence, parameters.ExtendedSequenceNumbers);
        sa->Cold->Arena = home;
        sa->Cold->Spi = parameters.Spi;
        sa->Cold->Limits = SaLimits.From(parameters.Lifetime);
        sa->Form = parameters.Form;
        sa->_userData = parameters.UserData;
        sa->SelectorKind = SelectorLine.KindOf(parameters.RemoteSelectors, parameters.LocalSelectors);
        sa->Selectors = SelectorLine.From(sa->SelectorKind, parameters.RemoteSelectors, parameters.LocalSelectors);
        sa->CountUnchecked();
        try
        {
            if (parameters.Algorithm is AeadAlgorithm aead)
            {
                sa->Key = SaHeap.CreateKey(aead, keyingMaterial[..^SaParameters.SaltSize], arena);
                sa->Salt = MemoryMarshal.Read<uint>(keyingMaterial[^SaParameters.SaltSize..]);
            }
            else
            {
                sa->Cbc = CbcHmacKey.Create(keyingMaterial[..^CbcHmacKey.IntegrityKey], keyingMaterial[^CbcHmacKey.IntegrityKey..], seals: false);
            }
        }
        catch
        {
            sa->FreeBlock();
            throw;
        }
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
        if ((sa->Form & SaForm.Cbc) != 0)
            CbcHmacKey.Free(sa->Cbc);
        else
            engine.Retire(sa->Key);
        sa->FreeBlock();
    }

    /// <summary>Our SPI.</summary>
    public readonly uint Spi => Cold->Spi;

    /// <summary>Whether sequence numbers have 64 bits.</summary>
    public readonly bool ExtendedSequenceNumbers => Window.IsExtended;

    /// <summary>What the owner gave with the parameters.</summary>
    public readonly ulong UserData => _userData;

    /// <summary>Highest sequence number received.</summary>
    public readonly ulong HighestSequence => Window.Highest;

    /// <summary>Packets delivered.</summary>
    public readonly ulong Packets => _packets;

    /// <summary>Bytes of the inner packets delivered.</summary>
    public readonly ulong Bytes => _bytes;

    /// <summary>Set once a soft limit was passed: time for a new SA.</summary>
    public readonly bool SoftLifetimeReached => Cold->Limits.SoftReached;

    /// <summary>Set once a packet met a hard limit: nothing more is delivered.</summary>
    public readonly bool HardLifetimeReached => Cold->Limits.HardReached;

    /// <summary>Packets dropped, by reason.</summary>
    [UnscopedRef]
    public readonly ref readonly EspCounters Drops => ref Cold->Counters;

    /// <summary>Bytes of an SA whose window has a ring of so many words.</summary>
    internal static int BlockSize(int words) => SizeInBytes + RingSize(words) + InboundSaCold.SizeInBytes;

    /// <summary>The part of the SA that packets leave alone, behind the ring.</summary>
    // Sound: an SA lies in a block of BlockSize bytes, its ring right behind this struct.
    internal readonly InboundSaCold* Cold => (InboundSaCold*)((byte*)Window.Ring + RingSize(Window.Words));

    /// <summary>The sequence number of a packet that carries <paramref name="low"/>, if it could be accepted.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly EspDropReason CheckSequence(uint low, out ulong sequence)
    {
        sequence = low;
        if (Window.IsExtended && !Window.TryExtend(low, out sequence))
            return EspDropReason.Late;
        return Window.Check(sequence);
    }

    /// <summary>Whether the SA's selectors let a measured inner packet pass (RFC 4301 §5.2).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly bool Admits(byte* inner, int length)
    {
        if (SelectorKind == SelectorKind.Any)
            return true;
        return SelectorKind == SelectorKind.IPv4 ? Selectors.AdmitsIPv4(inner) : AdmitsOther(inner, length);
    }

    /// <summary>Counts a packet that is about to be delivered, if the SA's lifetime allows it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryCount(int innerLength)
    {
        if (_uncheckedPackets == 0)
            return TryCountAtLimits(innerLength);
        _uncheckedPackets--;
        _packets++;
        _bytes += (uint)innerLength;
        return true;
    }

    /// <summary>Puts the SA on its database's list if it has something to tell.</summary>
    internal void Tell()
    {
        InboundSaCold* cold = Cold;
        if (cold->Notices == null || !cold->Limits.TryList())
            return;
        cold->Next = cold->Notices->Inbound;
        // Sound: an SA lies in native memory, which the garbage collector does not move.
        cold->Notices->Inbound = (InboundSa*)Unsafe.AsPointer(ref this);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryCountAtLimits(int innerLength)
    {
        bool passes = Cold->Limits.TryPass(_packets, _bytes + (uint)innerLength);
        Tell();
        if (!passes)
            return false;
        _packets++;
        _bytes += (uint)innerLength;
        CountUnchecked();
        return true;
    }

    /// <summary>Finds how many packets can pass below the next limit.</summary>
    private void CountUnchecked()
    {
        ulong packets = Cold->Limits.NextPackets - _packets;
        ulong bytes = Cold->Limits.NextBytes - _bytes;
        _uncheckedPackets = (ushort)Math.Min(Math.Min(packets, bytes / MaxInnerLength), ushort.MaxValue);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private readonly bool AdmitsOther(byte* inner, int length) => SelectorKind == SelectorKind.IPv6
        ? Selectors.AdmitsIPv6(inner)
        : SelectorTable.AdmitsInbound(Selectors.Table, inner, length);

    /// <summary>Frees what the SA owns but for its key, then the SA.</summary>
    private void FreeBlock()
    {
        if (SelectorKind == SelectorKind.Table)
            SelectorTable.Free(Selectors.Table);
        // Sound: an SA lies in a block of native memory, which begins with this struct and which the garbage collector does not move.
        SaHeap.Free(Unsafe.AsPointer(ref this), BlockSize(Window.Words), Cold->Arena);
    }

    private static int RingSize(int words) => ((words * sizeof(ulong)) + CacheLine - 1) & -CacheLine;
}
