using System.Runtime.InteropServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Record;

/// <summary>
/// Opens records in bursts: many records of many connections become operations of one AEAD burst, which other protocols may share.
/// KeyUpdates in between are obeyed, and the records behind them opened with the next key.
/// </summary>
/// <remarks>
/// <para>Owned by one lcore. Call order:</para>
/// <code>
/// while (there is a record) reader.TryAdd(burst, …);
/// burst.Run(engine);
/// for (int first = burst.Count; reader.Complete(burst, engine); first = burst.Count)
///     burst.Run(engine, first);
/// for (int i = 0; i &lt; reader.Count; i++) … reader[i] …
/// reader.Clear(); burst.Clear();
/// </code>
/// <para>A reader serves one burst at a time, and the records of one connection are in one burst at a time. Records are opened out of
/// place: source and destination belong to the reader until <see cref="Clear"/>. What is behind a failure, a fatal alert or close_notify
/// of a connection yields no plaintext. Nothing here allocates managed memory or throws on a record's account.</para>
/// </remarks>
public sealed unsafe partial class TlsRecordReader : IDisposable
{
    /// <summary>
    /// Most KeyUpdates (and user_canceled alerts) of a connection within <see cref="KeyUpdateWindow"/> bytes of application data: one costs
    /// as much as a hundred small records.
    /// </summary>
    public const int MaxKeyUpdates = 32;

    /// <summary>Bytes of application data that buy the right to another <see cref="MaxKeyUpdates"/>.</summary>
    public const int KeyUpdateWindow = 16_384;

    private readonly int _capacity;
    private TlsOpenedRecord* _records;
    private AeadOperation* _again;
    private int _firstPending;

    /// <summary>Makes a reader.</summary>
    /// <param name="capacity">Most records in a burst.</param>
    public TlsRecordReader(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, AeadEngine.MaxInFlight);
        _capacity = capacity;
        _records = (TlsOpenedRecord*)NativeMemory.AlignedAlloc((nuint)capacity * (nuint)sizeof(TlsOpenedRecord), AeadOperation.SizeInBytes);
        _again = (AeadOperation*)NativeMemory.AlignedAlloc(AeadOperation.SizeInBytes, AeadOperation.SizeInBytes);
    }

    /// <summary>Records added since <see cref="Clear"/>.</summary>
    public int Count { get; private set; }

    /// <summary>What became of record number <paramref name="index"/>, in the order of adding; valid from <see cref="Complete"/> to <see cref="Clear"/>.</summary>
    public ref readonly TlsOpenedRecord this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            return ref _records[index];
        }
    }

    /// <summary>Adds the opening of a record to a burst.</summary>
    /// <param name="burst">Takes one operation. Leave it some room: records behind a KeyUpdate are added again.</param>
    /// <param name="state">The connection's state for opening.</param>
    /// <param name="record">A whole record with its header, as <see cref="TlsRecordHeader.TryParse"/> finds it.</param>
    /// <param name="recordLength">Its length.</param>
    /// <param name="destination">Takes the content; disjoint from the record, with room for <paramref name="recordLength"/> − 21 bytes.
    /// Bytes behind the content may be overwritten up to there.</param>
    /// <param name="userData">Comes back in the result.</param>
    /// <returns>False when the reader or the burst is full.</returns>
    public bool TryAdd(AeadBurst burst, TlsTrafficState* state, byte* record, int recordLength, byte* destination, ulong userData)
    {
        if (Count == _capacity)
            return false;
        TlsOpenedRecord* entry = _records + Count;
        entry->HeaderOutcome = Inspect(state, record, recordLength);
        entry->Operation = null;
        if (entry->HeaderOutcome == TlsOpenStatus.Pending && !burst.TryAdd(out entry->Operation))
            return false;
        entry->Traffic = state;
        entry->Destination = destination;
        entry->Source = record;
        entry->CallerData = userData;
        entry->OpenedEpoch = state->Epoch;
        entry->ContentLength = 0;
        entry->PayloadLength = (uint)(recordLength - TlsRecordSizes.Header);
        entry->Outcome = TlsOpenStatus.Pending;
        entry->Type = TlsContentType.None;
        entry->PeerAlert = TlsAlert.CloseNotify;
        if (entry->Operation != null)
            Fill(entry, entry->Operation);
        Count++;
        return true;
    }

    /// <summary>Evaluates the records of a burst that has run.</summary>
    /// <param name="burst">The burst; its operations have all completed.</param>
    /// <param name="engine">Its engine, to which keys that a KeyUpdate replaced are given back.</param>
    /// <returns>True if operations were added to the burst: run them and call again. With false every record has its result.</returns>
    public bool Complete(AeadBurst burst, AeadEngine engine)
    {
        ArgumentNullException.ThrowIfNull(burst);
        ArgumentNullException.ThrowIfNull(engine);
        int firstPending = Count;
        for (int i = _firstPending; i < Count; i++)
        {
            TlsOpenedRecord* entry = _records + i;
            if (entry->Outcome != TlsOpenStatus.Pending)
                continue;
            if (entry->Traffic->IsClosed)
                Discard(entry);
            // A KeyUpdate was obeyed since: what is behind it needs the next key, and its turn comes when all before it is evaluated.
            else if (entry->OpenedEpoch != entry->Traffic->Epoch && !OpenAgain(entry, burst, engine, isFirst: firstPending == Count))
                firstPending = Math.Min(firstPending, i);
            else
                Evaluate(entry, engine);
        }
        _firstPending = firstPending;
        return firstPending < Count;
    }

    /// <summary>Forgets the records. Their results are no longer valid.</summary>
    public void Clear()
    {
        Count = 0;
        _firstPending = 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_records);
        NativeMemory.AlignedFree(_again);
        _records = null;
        _again = null;
        Count = 0;
    }
}
