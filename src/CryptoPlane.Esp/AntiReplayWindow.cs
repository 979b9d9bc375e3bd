using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Esp;

/// <summary>
/// The anti-replay window of an inbound SA (RFC 4303 §3.4.3): a bitmap in a ring of 64-bit words, of which the words ahead of the
/// highest sequence number are cleared as it advances, so that nothing is ever shifted (RFC 6479).
/// </summary>
/// <remarks>
/// The ring has one word more than the window covers, rounded up to a power of two, since the window's ends may lie in the middle of
/// words. The size of the window is kept to the packet all the same. Sequence numbers have 64 bits; without ESN the upper half is 0.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes, Pack = 4)]
public unsafe struct AntiReplayWindow
{
    /// <summary>Fewest packets of a window.</summary>
    public const int MinSize = 64;

    /// <summary>Most packets of a window.</summary>
    public const int MaxSize = 4096;

    /// <summary>Size of this struct, without the ring.</summary>
    public const int SizeInBytes = 20;

    private const int WordBits = 64;

    [FieldOffset(0)] private ulong _highest;
    [FieldOffset(8)] private ulong* _ring;
    [FieldOffset(16)] private ushort _size;
    [FieldOffset(18)] private byte _mask;
    [FieldOffset(19)] private bool _isExtended;

    /// <summary>Highest sequence number received.</summary>
    public readonly ulong Highest => _highest;

    /// <summary>Packets that the window covers.</summary>
    public readonly int Size => _size;

    /// <summary>Whether sequence numbers have 64 bits, of which packets carry the lower half (RFC 4303 §2.2.1).</summary>
    public readonly bool IsExtended => _isExtended;

    /// <summary>Words of the ring.</summary>
    internal readonly int Words => _mask + 1;

    /// <summary>The first word of the ring.</summary>
    internal readonly ulong* Ring => _ring;

    /// <summary>Words of 64 bits that a window needs for its ring.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not between <see cref="MinSize"/> and <see cref="MaxSize"/>.</exception>
    public static int RingWords(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, MinSize);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, MaxSize);
        return (int)BitOperations.RoundUpToPowerOf2((uint)((size + WordBits - 2) / WordBits) + 1);
    }

    /// <summary>Starts a window in which everything up to <paramref name="highest"/> counts as received.</summary>
    /// <param name="ring">Memory of <see cref="RingWords"/> words, which must live as long as the window.</param>
    /// <param name="size">Packets that the window covers.</param>
    /// <param name="highest">0 for a fresh SA.</param>
    /// <param name="extended">Whether sequence numbers have 64 bits.</param>
    public void Initialize(ulong* ring, int size, ulong highest, bool extended = false)
    {
        int words = RingWords(size);
        _ring = ring;
        // Sound: the size is at most MaxSize, whose ring has 128 words.
        _size = (ushort)size;
        _mask = (byte)(words - 1);
        _isExtended = extended;
        _highest = highest;
        // Received means set; the bits above the highest, in its own word, are not: an advance clears only the words behind it.
        new Span<ulong>(ring, words).Fill(ulong.MaxValue);
        ring[WordIndex(highest)] = ulong.MaxValue >> (WordBits - 1 - (int)(highest % WordBits));
    }

    /// <summary>
    /// Infers the 64-bit sequence number of a packet from the lower half that it carries: the one nearest to the window
    /// (RFC 4303 Appendix A2.2).
    /// </summary>
    /// <returns>False if it would lie below 0 or above 2^64 - 1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly bool TryExtend(uint low, out ulong sequence)
    {
        uint highestLow = (uint)_highest;
        ulong high = _highest >> 32;
        uint below = (uint)_size - 1;
        uint bottom = highestLow - below;
        if (highestLow >= below)
        {
            // Case A: the window lies in one subspace of 2^32 numbers. What is below it must be of the next subspace.
            if (low < bottom)
                high++;
        }
        else if (low >= bottom)
        {
            // Case B: the window spans two subspaces, and the number belongs to the lower one.
            high--;
        }
        sequence = (high << 32) | low;
        return high <= uint.MaxValue;
    }

    /// <summary>Whether a packet could be accepted, before it is opened: changes nothing.</summary>
    /// <returns><see cref="EspDropReason.None"/>, <see cref="EspDropReason.Late"/> or <see cref="EspDropReason.Replayed"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly EspDropReason Check(ulong sequence)
    {
        if (sequence > _highest)
            return EspDropReason.None;
        // RFC 4303 §2.2: the first packet has number 1, so that 0 was never sent.
        if (_highest - sequence >= _size || sequence == 0)
            return EspDropReason.Late;
        return (_ring[WordIndex(sequence)] & Bit(sequence)) != 0 ? EspDropReason.Replayed : EspDropReason.None;
    }

    /// <summary>
    /// Accepts a packet whose ICV was right: checks again, since a copy of it may have been accepted while this one was being opened,
    /// notes its number and moves the window.
    /// </summary>
    /// <returns>As <see cref="Check"/>; the window is unchanged unless it is <see cref="EspDropReason.None"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public EspDropReason CheckAndSet(ulong sequence)
    {
        if (sequence > _highest)
        {
            if (sequence / WordBits != _highest / WordBits)
                ClearAhead(sequence);
            _highest = sequence;
        }
        else
        {
            EspDropReason reason = Check(sequence);
            if (reason != EspDropReason.None)
                return reason;
        }
        _ring[WordIndex(sequence)] |= Bit(sequence);
        return EspDropReason.None;
    }

    /// <summary>The word that tells whether a number was received, of which the lower half suffices: a ring is shorter than 2^32 bits.</summary>
    internal readonly ulong* WordOf(uint low) => _ring + WordIndex(low);

    // Sound: the mask is the ring's size in words less one, a power of two less one, so every index lies in the ring.
    private readonly ulong WordIndex(ulong sequence) => (sequence / WordBits) & _mask;

    private static ulong Bit(ulong sequence) => 1UL << (int)(sequence % WordBits);

    /// <summary>Clears the words between that of the highest number and a later one's, which is cleared too.</summary>
    private readonly void ClearAhead(ulong sequence)
    {
        ulong word = _highest / WordBits;
        ulong words = Math.Min((sequence / WordBits) - word, (ulong)_mask + 1);
        for (ulong i = 1; i <= words; i++)
            _ring[(word + i) & _mask] = 0;
    }
}
