using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Opens records in bursts, where they lie: many records of many associations become operations of one AEAD burst, which other protocols
/// may share. What cannot be opened is dropped and changes nothing, whoever sent it.
/// </summary>
/// <remarks>
/// <para>Owned by one lcore. Call order: <see cref="TryAdd"/> for every record · <see cref="AeadBurst.Run"/> · <see cref="Complete"/> · the
/// results · <see cref="Clear"/> and <see cref="AeadBurst.Clear"/>. A reader serves one burst at a time.</para>
/// <para>The anti-replay window is asked before a record is opened, so that a replayed one costs no cryptography, and asked again and moved
/// once its tag has proved right: of two copies in one burst the first is delivered. A record that is not delivered is wiped. Nothing here
/// allocates managed memory or throws on a record's account.</para>
/// </remarks>
public sealed unsafe class DtlsRecordReader : IDisposable
{
    private const int AlertLength = 2;
    private const byte FatalLevel = 2;

    private readonly int _capacity;
    private DtlsOpenedRecord* _records;

    /// <summary>Makes a reader.</summary>
    /// <param name="capacity">Most records in a burst.</param>
    public DtlsRecordReader(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AeadEngine.MaxInFlight);
        _capacity = capacity;
        _records = (DtlsOpenedRecord*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(DtlsOpenedRecord), 64);
    }

    /// <summary>Records added since <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>What became of record number <paramref name="index"/>, in the order of adding; valid from <see cref="Complete"/> to <see cref="Clear"/>.</summary>
    public ref readonly DtlsOpenedRecord this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return ref _records[index];
        }
    }

    /// <summary>Adds the opening of a record to a burst.</summary>
    /// <param name="burst">Takes one operation, unless the record is refused by its header or the window.</param>
    /// <param name="state">The state for opening.</param>
    /// <param name="record">A whole record with its header, as <see cref="DtlsRecordHeader.TryParse"/> finds it; overwritten by its content.</param>
    /// <param name="recordLength">Its length.</param>
    /// <param name="userData">Comes back in the result.</param>
    /// <returns>False when the reader or the burst is full.</returns>
    public bool TryAdd(AeadBurst burst, DtlsTrafficState* state, byte* record, int recordLength, ulong userData)
    {
        if (Count == _capacity)
            return false;
        DtlsOpenedRecord* entry = _records + Count;
        entry->Outcome = Inspect(state, record, recordLength, out DtlsRecordHeader header);
        entry->Operation = null;
        if (entry->Outcome == DtlsOpenStatus.Pending && !burst.TryAdd(out entry->Operation))
            return false;
        entry->Traffic = state;
        entry->Number = header.Sequence;
        entry->ContentType = (byte)header.Type;
        entry->ContentLength = 0;
        entry->CallerData = userData;
        entry->Text = record;
        if (entry->Operation != null)
            Fill(entry, record, header);
        Count++;
        return true;
    }

    /// <summary>Evaluates the records of a burst that has run.</summary>
    /// <param name="burst">The burst; its operations have all completed.</param>
    public void Complete(AeadBurst burst)
    {
        ArgumentNullException.ThrowIfNull(burst);
        for (int i = 0; i < Count; i++)
        {
            DtlsOpenedRecord* entry = _records + i;
            if (entry->Operation == null)
                continue;
            DtlsOpenStatus outcome = Evaluate(entry);
            entry->Outcome = outcome;
            // Sound: so many bytes the operation may have written.
            if (outcome is not (DtlsOpenStatus.Opened or DtlsOpenStatus.Handshake))
                NativeMemory.Clear(entry->Text, entry->Operation->Length);
            else
                entry->ContentLength = entry->Operation->Length;
        }
    }

    /// <summary>Forgets the records. Their results are no longer valid.</summary>
    public void Clear() => Count = 0;

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_records);
        _records = null;
        Count = 0;
    }

    /// <summary>What can be said of a record before it is opened: Pending, or why it will not be.</summary>
    private static DtlsOpenStatus Inspect(DtlsTrafficState* state, byte* record, int recordLength, out DtlsRecordHeader header)
    {
        if (!DtlsRecordHeader.TryParse(new ReadOnlySpan<byte>(record, recordLength), out header) || header.RecordLength != recordLength)
            return DtlsOpenStatus.Malformed;
        if (state->Closed)
            return DtlsOpenStatus.Ended;
        // An empty state has epoch 0, which is never protected.
        if (header.Epoch != state->EpochNumber || state->Key.IsNull)
            return DtlsOpenStatus.WrongEpoch;
        int content = header.PayloadLength - state->ExplicitNonce - AeadSizes.Tag;
        if (content is < 0 or > DtlsRecordSizes.MaxContent)
            return DtlsOpenStatus.Malformed;
        return state->Window.Check(header.Sequence);
    }

    // Sound: Inspect found header, explicit nonce and tag within the record. Every field of the operation is written.
    private static void Fill(DtlsOpenedRecord* entry, byte* record, in DtlsRecordHeader header)
    {
        DtlsTrafficState* state = entry->Traffic;
        AeadOperation* operation = entry->Operation;
        int length = header.PayloadLength - state->ExplicitNonce - AeadSizes.Tag;
        ulong number = ((ulong)header.Epoch << 48) | header.Sequence;
        entry->Text = record + state->ContentOffset;
        operation->Source = entry->Text;
        operation->Destination = entry->Text;
        operation->Key = state->Key;
        operation->Length = (uint)length;
        operation->Direction = AeadDirection.Open;
        operation->Status = AeadStatus.Pending;
        operation->UserData = 0;
        // RFC 5288 §3: the sender may choose its explicit nonce as it likes, so the one of the record counts, not its number.
        ulong explicitNonce = state->ExplicitNonce != 0 ? *(ulong*)(record + DtlsRecordSizes.Header) : BinaryPrimitives.ReverseEndianness(number);
        state->WriteNonceAndAad(operation, (byte)header.Type, number, explicitNonce, length);
    }

    private static DtlsOpenStatus Evaluate(DtlsOpenedRecord* entry)
    {
        DtlsTrafficState* state = entry->Traffic;
        if (entry->Operation->Status != AeadStatus.Success)
            return entry->Operation->Status == AeadStatus.AuthenticationFailed ? DtlsOpenStatus.BadRecordMac : DtlsOpenStatus.InternalError;
        if (state->Closed)
            return DtlsOpenStatus.Ended;
        DtlsOpenStatus status = state->Window.CheckAndSet(entry->Number);
        if (status != DtlsOpenStatus.Pending)
            return status;
        state->RecordCount++;
        state->ContentBytes += entry->Operation->Length;
        return (TlsContentType)entry->ContentType switch
        {
            TlsContentType.ApplicationData => DtlsOpenStatus.Opened,
            TlsContentType.Handshake => DtlsOpenStatus.Handshake,
            TlsContentType.Alert => EvaluateAlert(entry),
            _ => DtlsOpenStatus.Unexpected,
        };
    }

    private static DtlsOpenStatus EvaluateAlert(DtlsOpenedRecord* entry)
    {
        if (entry->Operation->Length != AlertLength)
            return DtlsOpenStatus.Unexpected;
        // RFC 5246 §7.2.1: what comes behind a close_notify is ignored; §7.2: a fatal alert ends the association. Its tag was right: RFC 6347
        // §4.1.2.7's doubts about alerts are about those without.
        if (entry->Text[1] == (byte)TlsAlert.CloseNotify)
        {
            entry->Traffic->Closed = true;
            return DtlsOpenStatus.CloseNotify;
        }
        if (entry->Text[0] != FatalLevel)
            return DtlsOpenStatus.Ignored;
        entry->Traffic->Closed = true;
        return DtlsOpenStatus.PeerAlert;
    }
}
