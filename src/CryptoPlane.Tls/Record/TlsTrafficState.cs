using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Record;

/// <summary>
/// Record protection of one direction of one connection: key, IV, sequence number, and the traffic secret that the next key comes from.
/// Unmanaged, so that the garbage collector has nothing to walk: a connection keeps two of them in native memory.
/// </summary>
/// <remarks>
/// <para>The first cache line has all that sealing or opening a record touches; the second what a KeyUpdate or a message over several
/// records needs; then comes the secret. Align it to 64 bytes.</para>
/// <para>Owned by one lcore at a time. Copying the bytes moves the state: the old place must then be cleared, not released, since both
/// would own the key.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct TlsTrafficState
{
    /// <summary>Size of the state: three cache lines.</summary>
    public const int SizeInBytes = 192;

    /// <summary>
    /// So many records before the limit of a key application data is refused with <see cref="TlsRecordStatus.KeyUpdateNeeded"/>, so that
    /// there is room for the KeyUpdate and alerts under the old key.
    /// </summary>
    public const int RecordReserve = 1024;

    private const int MaxPartialMessage = 5;

    // First cache line: every record.
    [FieldOffset(0)] internal AeadKeyHandle Key;
    [FieldOffset(8)] internal ulong Sequence;
    [FieldOffset(16)] internal ulong IvTail;
    [FieldOffset(24)] internal uint IvHead;
    [FieldOffset(28)] internal TlsCipherSuite SuiteNumber;
    [FieldOffset(30)] internal TlsTrafficUse Use;
    [FieldOffset(31)] internal TlsTrafficFlags Flags;
    [FieldOffset(32)] internal ulong DataLimit;
    [FieldOffset(40)] internal ulong RecordLimit;
    [FieldOffset(48)] internal ulong ContentBytes;
    [FieldOffset(56)] internal uint Epoch;
    [FieldOffset(60)] internal byte PartialLength;
    [FieldOffset(61)] internal byte UpdatesInWindow;
    [FieldOffset(62)] internal ushort SizeLimit;

    // Second cache line: KeyUpdates and messages over several records.
    [FieldOffset(64)] internal AeadKeyHandle OutgoingKey;
    [FieldOffset(72)] internal ulong EarlierRecords;
    [FieldOffset(80)] internal uint SkipRemaining;
    [FieldOffset(84)] internal fixed byte Partial[MaxPartialMessage];
    [FieldOffset(96)] internal ulong WindowStart;

    // Third cache line: the secret.
    [FieldOffset(128)] internal fixed byte Secret[TlsHashes.MaxLength];

    /// <summary>The cipher suite; <see cref="TlsCipherSuite.None"/> where the state is not initialized.</summary>
    public readonly TlsCipherSuite Suite => SuiteNumber;

    /// <summary>Records sealed or opened, over all keys.</summary>
    public readonly ulong Records => EarlierRecords + Sequence;

    /// <summary>Bytes of content sealed or opened, over all keys, without padding.</summary>
    public readonly ulong Bytes => ContentBytes;

    /// <summary>
    /// Most bytes of content in one record: <see cref="TlsRecordSizes.MaxContent"/>, or less by the limit that the peer asked for (when
    /// sealing) or was told (when opening; RFC 8449).
    /// </summary>
    public readonly int MaxContent => SizeLimit - TlsRecordSizes.InnerType;

    /// <summary>How often the key was updated. A peer that sends many KeyUpdates for few <see cref="Bytes"/> is up to no good.</summary>
    public readonly uint KeyUpdates => Epoch;

    /// <summary>Whether the direction has come to its end: close_notify or a fatal alert was sent or received, or a record was bad.</summary>
    public readonly bool IsClosed => (Flags & TlsTrafficFlags.Closed) != 0;

    /// <summary>Whether the peer closed this direction in the proper way, with close_notify: what came before it was everything.</summary>
    public readonly bool IsCloseNotifyReceived => (Flags & TlsTrafficFlags.CloseNotifyReceived) != 0;

    /// <summary>
    /// Whether the key has protected nearly as many records as RFC 8446 §5.5 allows. A state that seals then refuses application data with
    /// <see cref="TlsRecordStatus.KeyUpdateNeeded"/>; with one that opens, ask the peer for its update by
    /// <see cref="TlsRecordWriter.PrepareKeyUpdate"/>.
    /// </summary>
    public readonly bool IsKeyUpdateNeeded => Sequence >= DataLimit;

    /// <summary>
    /// Reads and clears the wish of the peer, in a state that reads, that we update our key as well: RFC 8446 §4.6.3 wants our
    /// KeyUpdate (<see cref="TlsRecordWriter.PrepareKeyUpdate"/>) before our next application data.
    /// </summary>
    public bool TakeKeyUpdateRequest()
    {
        bool requested = (Flags & TlsTrafficFlags.KeyUpdateRequested) != 0;
        Flags &= ~TlsTrafficFlags.KeyUpdateRequested;
        return requested;
    }

    /// <summary>Derives the record key of a traffic secret, and keeps the secret for KeyUpdates.</summary>
    /// <param name="state">Native memory, <see cref="SizeInBytes"/> long; overwritten. Release what was there before.</param>
    /// <param name="suite">The cipher suite.</param>
    /// <param name="trafficSecret">As long as the suite's hash. The caller zeroes its copy.</param>
    /// <param name="use">What the state is for.</param>
    /// <exception cref="ArgumentException">The secret has the wrong length, or the suite is none of CryptoPlane's.</exception>
    public static void Initialize(TlsTrafficState* state, TlsCipherSuite suite, ReadOnlySpan<byte> trafficSecret, TlsTrafficUse use)
    {
        CipherSuiteParameters parameters = CipherSuiteParameters.Of(suite);
        if (trafficSecret.Length != parameters.Hash.Length())
            throw new ArgumentException($"A traffic secret of {suite} has {parameters.Hash.Length()} bytes, not {trafficSecret.Length}.", nameof(trafficSecret));
        NativeMemory.Clear(state, SizeInBytes);
        state->SuiteNumber = suite;
        state->Use = use;
        state->SizeLimit = TlsRecordSizes.MaxInnerPlaintext;
        trafficSecret.CopyTo(new Span<byte>(state->Secret, TlsHashes.MaxLength));
        state->InstallKey(parameters);
    }

    /// <summary>Gives the keys back and zeroes the state. An empty state may be released again.</summary>
    /// <param name="engine">The engine of the calling thread; nothing of the state may be in flight on it.</param>
    public void Release(AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        engine.Retire(OutgoingKey);
        engine.Retire(Key);
        // Sound: the span covers exactly this struct.
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(new Span<TlsTrafficState>(ref this)));
    }

    /// <summary>
    /// Counts a KeyUpdate of the peer, or another message that costs this side more than the peer. Three derivations for five bytes: the
    /// peer must earn them with data.
    /// </summary>
    /// <returns>False if there are too many.</returns>
    internal bool TryCountUpdate()
    {
        if (ContentBytes - WindowStart >= TlsRecordReader.KeyUpdateWindow)
        {
            WindowStart = ContentBytes;
            UpdatesInWindow = 0;
        }
        return ++UpdatesInWindow <= TlsRecordReader.MaxKeyUpdates;
    }

    /// <summary>The nonce of a record (RFC 8446 §5.3): the sequence number, padded on the left, XOR the IV.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void WriteNonce(AeadOperation* operation, ulong sequence)
    {
        *(uint*)operation->Nonce = IvHead;
        *(ulong*)(operation->Nonce + sizeof(uint)) = IvTail ^ BinaryPrimitives.ReverseEndianness(sequence);
    }

    /// <summary>Goes on to the next traffic secret and its key (RFC 8446 §7.2), without managed allocation.</summary>
    /// <returns>The old key, which the caller retires once no operation uses it.</returns>
    internal AeadKeyHandle AdvanceKey()
    {
        CipherSuiteParameters parameters = CipherSuiteParameters.Of(SuiteNumber);
        AeadKeyHandle old = Key;
        TrafficKeys.Advance(parameters.Hash, SecretOf(parameters.Hash));
        EarlierRecords += Sequence;
        Epoch++;
        InstallKey(parameters);
        return old;
    }

    /// <summary>Makes the key of the secret, and starts its sequence numbers and limits.</summary>
    private void InstallKey(in CipherSuiteParameters parameters)
    {
        Span<byte> key = stackalloc byte[32];
        Span<byte> iv = stackalloc byte[AeadSizes.Nonce];
        key = key[..parameters.KeyLength];
        TrafficKeys.Derive(parameters, SecretOf(parameters.Hash), key, iv);
        Key = AeadKey.CreateDetached(parameters.Aead, key);
        IvHead = MemoryMarshal.Read<uint>(iv);
        IvTail = MemoryMarshal.Read<ulong>(iv[sizeof(uint)..]);
        CryptographicOperations.ZeroMemory(key);
        CryptographicOperations.ZeroMemory(iv);
        // RFC 8446 §5.3: "The appropriate sequence number is set to zero … whenever the key is changed".
        Sequence = 0;
        // RFC 8446 §5.5 binds the sealing side. Peers are known that never update their keys by themselves: when opening, DataLimit
        // says that the peer should be asked to, and only the end of the sequence numbers is hard.
        RecordLimit = Use == TlsTrafficUse.Write ? parameters.RecordLimit : CipherSuiteParameters.SequenceLimit;
        DataLimit = parameters.RecordLimit - RecordReserve;
    }

    // Sound: the span covers the front of a fixed buffer of this struct, and callers use it no longer than they hold the struct.
    private Span<byte> SecretOf(TlsHash hash) => MemoryMarshal.CreateSpan(ref Secret[0], hash.Length());
}

/// <summary>What became known about a direction.</summary>
[Flags]
internal enum TlsTrafficFlags : byte
{
    None = 0,

    /// <summary>The peer sent KeyUpdate(update_requested), and was not answered yet.</summary>
    KeyUpdateRequested = 1,

    /// <summary>Nothing more is sealed or opened.</summary>
    Closed = 2,

    /// <summary>The peer sent close_notify.</summary>
    CloseNotifyReceived = 4,

    /// <summary>Handshake messages behind the handshake are given out once they are checked: a control thread looks for tickets among them.</summary>
    GivesTickets = 8,

    /// <summary>The server may ask for a certificate: only on a control thread, which has what the answer takes.</summary>
    TakesCertificateRequests = 16,

    /// <summary>The client may answer a CertificateRequest of ours, on a control thread.</summary>
    TakesCertificates = 32,
}
