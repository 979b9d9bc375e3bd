using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Record protection of one direction of one epoch: key, IV, sequence numbers, and for opening the anti-replay window. Unmanaged, so that
/// the garbage collector has nothing to walk: an association keeps two of them in native memory.
/// </summary>
/// <remarks>
/// <para>The first cache line has all that sealing touches; opening touches a word of the window besides. Align it to 64 bytes.</para>
/// <para>Owned by one lcore at a time. Copying the bytes moves the state: the old place must then be cleared, not released, since both
/// would own the key.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct DtlsTrafficState
{
    /// <summary>Size of the state: four cache lines.</summary>
    public const int SizeInBytes = 256;

    /// <summary>So many records before the last sequence number data is refused, so that alerts find room.</summary>
    private const ulong SequenceReserve = 1024;

    [FieldOffset(0)] internal AeadKeyHandle Key;

    /// <summary>The next record to be sealed. (What was opened is in <see cref="Window"/>.)</summary>
    [FieldOffset(8)] internal ulong Sequence;
    [FieldOffset(16)] internal ulong IvTail;
    [FieldOffset(24)] internal uint IvHead;
    [FieldOffset(28)] internal DtlsCipherSuite SuiteNumber;
    [FieldOffset(30)] internal ushort EpochNumber;
    [FieldOffset(32)] internal ulong ContentBytes;
    [FieldOffset(40)] internal ulong ContentLimit;
    [FieldOffset(48)] internal ulong RecordCount;
    [FieldOffset(56)] internal byte ExplicitNonce;
    [FieldOffset(57)] internal bool Closed;
    [FieldOffset(64)] internal DtlsReplayWindow Window;

    /// <summary>The cipher suite; <see cref="DtlsCipherSuite.None"/> where the state is not initialized.</summary>
    public readonly DtlsCipherSuite Suite => SuiteNumber;

    /// <summary>The epoch of the records.</summary>
    public readonly ushort Epoch => EpochNumber;

    /// <summary>Records sealed, or opened.</summary>
    public readonly ulong Records => RecordCount;

    /// <summary>Bytes of content sealed, or opened.</summary>
    public readonly ulong Bytes => ContentBytes;

    /// <summary>Whether the direction has come to its end: close_notify or a fatal alert was sent, or received with a right tag.</summary>
    public readonly bool IsClosed => Closed;

    /// <summary>
    /// Whether the key has protected nearly as much as it may: a state that seals refuses data with <see cref="TlsRecordStatus.KeyExhausted"/>,
    /// and new keys come by a new handshake.
    /// </summary>
    public readonly bool IsExhausted => ContentBytes >= ContentLimit || Sequence > DtlsRecordHeader.MaxSequence - SequenceReserve;

    /// <summary>Bytes in front of a record's content: the header, and the explicit part of the nonce.</summary>
    public readonly int ContentOffset => DtlsRecordSizes.Header + ExplicitNonce;

    /// <summary>What protection adds to a content.</summary>
    public readonly int Overhead => ContentOffset + AeadSizes.Tag;

    /// <summary>
    /// Whether a record that was just opened is the newest of all: from where it came the peer is now (see RFC 9146 §6, which has the same
    /// rule).
    /// </summary>
    public readonly bool IsNewest(ulong sequence) => sequence + 1 == Window.Next;

    /// <summary>Makes the state of an epoch's first record.</summary>
    /// <param name="state">Native memory, <see cref="SizeInBytes"/> long; overwritten. Release what was there before.</param>
    /// <param name="suite">The cipher suite.</param>
    /// <param name="epoch">The epoch.</param>
    /// <param name="key">As long as the suite's AEAD wants. The caller zeroes its copy.</param>
    /// <param name="fixedIv">4 bytes with AES-GCM, 12 with ChaCha20-Poly1305. The caller zeroes its copy.</param>
    /// <exception cref="ArgumentException">The key or the IV has the wrong length, or the suite is none of CryptoPlane's.</exception>
    public static void Initialize(DtlsTrafficState* state, DtlsCipherSuite suite, ushort epoch, ReadOnlySpan<byte> key, ReadOnlySpan<byte> fixedIv)
    {
        var parameters = DtlsSuiteParameters.Of(suite);
        if (fixedIv.Length != parameters.FixedIvLength)
            throw new ArgumentException($"The IV of {suite} has {parameters.FixedIvLength} bytes, not {fixedIv.Length}.", nameof(fixedIv));
        NativeMemory.Clear(state, SizeInBytes);
        state->Key = AeadKey.CreateDetached(parameters.Aead, key);
        state->SuiteNumber = suite;
        state->EpochNumber = epoch;
        state->ExplicitNonce = (byte)parameters.ExplicitNonceLength;
        state->ContentLimit = parameters.ContentLimit;
        state->IvHead = MemoryMarshal.Read<uint>(fixedIv);
        // RFC 5288 §3: the explicit part of AES-GCM stands alone behind the salt; RFC 7905 §2 has the number XORed into an IV of 12 bytes.
        state->IvTail = fixedIv.Length > sizeof(uint) ? MemoryMarshal.Read<ulong>(fixedIv[sizeof(uint)..]) : 0;
    }

    /// <summary>Gives the key back and zeroes the state. An empty state may be released again.</summary>
    /// <param name="engine">The engine of the calling thread; nothing of the state may be in flight on it.</param>
    public void Release(AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        engine.Retire(Key);
        // Sound: the span covers exactly this struct.
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<DtlsTrafficState>(ref this)));
    }

    /// <summary>Writes nonce and AAD of a record into its operation.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="type">The content type.</param>
    /// <param name="number">Epoch and sequence number, as they stand in the header.</param>
    /// <param name="explicitNonce">What the record carries, or its number, in memory order.</param>
    /// <param name="length">Bytes of content.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void WriteNonceAndAad(AeadOperation* operation, byte type, ulong number, ulong explicitNonce, int length)
    {
        *(uint*)operation->Nonce = IvHead;
        *(ulong*)(operation->Nonce + sizeof(uint)) = IvTail ^ explicitNonce;
        // RFC 5246 §6.2.3.3 with RFC 6347 §4.1.2.1: epoch and seq_num, type, version, length of the plaintext.
        *(ulong*)operation->InlineAad = BinaryPrimitives.ReverseEndianness(number);
        *(ulong*)(operation->InlineAad + sizeof(ulong)) = type | (0xFEUL << 8) | (0xFDUL << 16)
            | ((ulong)BinaryPrimitives.ReverseEndianness((ushort)length) << 24);
        operation->AadLength = AadLength;
    }

    private const int AadLength = 13;
}
