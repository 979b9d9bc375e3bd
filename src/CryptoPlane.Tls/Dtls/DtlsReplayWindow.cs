using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// The anti-replay window of an epoch (RFC 6347 §4.1.2.6): a bitmap in a ring of words, of which those ahead of the newest number are
/// cleared as it advances, so that nothing is ever shifted (RFC 6479). All zero when nothing was received.
/// </summary>
/// <remarks>Unlike ESP's, numbers begin with 0, have 48 bits on the wire, and the ring lies in the state itself.</remarks>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
internal unsafe struct DtlsReplayWindow
{
    public const int SizeInBytes = 8 + (Words * 8);

    /// <summary>Records that the window covers: RFC 6347 wants 32 at least, 64 preferably; paths with several queues reorder more.</summary>
    public const int Size = (Words - 1) * WordBits;

    private const int Words = 16, WordBits = 64;

    /// <summary>The newest number received, plus one; 0 for none.</summary>
    private ulong _next;
    private fixed ulong _ring[Words];

    /// <summary>The newest number received, plus one; 0 for none.</summary>
    public readonly ulong Next => _next;

    /// <summary>Whether a record could be accepted, before it is opened: changes nothing.</summary>
    /// <returns><see cref="DtlsOpenStatus.Pending"/>, <see cref="DtlsOpenStatus.Late"/> or <see cref="DtlsOpenStatus.Replayed"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly DtlsOpenStatus Check(ulong sequence)
    {
        if (sequence >= _next)
            return DtlsOpenStatus.Pending;
        if (_next - sequence > Size)
            return DtlsOpenStatus.Late;
        // Sound, here and below: the index is masked with the ring's size.
        return (_ring[sequence / WordBits & (Words - 1)] & Bit(sequence)) != 0 ? DtlsOpenStatus.Replayed : DtlsOpenStatus.Pending;
    }

    /// <summary>
    /// Accepts a record whose tag was right: checks again, since a copy of it may have been accepted while this one was being opened,
    /// notes its number and moves the window.
    /// </summary>
    /// <returns>As <see cref="Check"/>; the window is unchanged unless it is <see cref="DtlsOpenStatus.Pending"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public DtlsOpenStatus CheckAndSet(ulong sequence)
    {
        DtlsOpenStatus status = Check(sequence);
        if (status != DtlsOpenStatus.Pending)
            return status;
        if (sequence >= _next)
        {
            ClearAhead(sequence);
            _next = sequence + 1;
        }
        _ring[sequence / WordBits & (Words - 1)] |= Bit(sequence);
        return DtlsOpenStatus.Pending;
    }

    private static ulong Bit(ulong sequence) => 1UL << (int)(sequence % WordBits);

    /// <summary>Clears the words behind that of the newest number, up to and with a later one's.</summary>
    private void ClearAhead(ulong sequence)
    {
        if (_next == 0)
            return;
        ulong word = (_next - 1) / WordBits;
        ulong words = Math.Min((sequence / WordBits) - word, Words);
        for (ulong i = 1; i <= words; i++)
            _ring[(word + i) & (Words - 1)] = 0;
    }
}
