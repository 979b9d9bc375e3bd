using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

/// <summary>Both directions' states of one way of a connection: what is sealed with one is opened with the other.</summary>
internal sealed unsafe class RecordPair
{
    public RecordPair(RecordTestBed bed, TlsCipherSuite suite, byte seed, TlsTrafficUse use)
    {
        byte[] secret = new byte[suite == TlsCipherSuite.Aes256GcmSha384 ? 48 : 32];
        Array.Fill(secret, seed);
        Writer = bed.NewState(suite, secret, TlsTrafficUse.Write);
        Reader = bed.NewState(suite, secret, use);
    }

    public TlsTrafficState* Writer { get; }

    public TlsTrafficState* Reader { get; }
}

/// <summary>What a received record came to, copied out of the reader.</summary>
internal sealed record OpenResult(TlsOpenStatus Status, TlsContentType Type, byte[] Content, TlsAlert Alert, ulong UserData, byte[] Destination);

/// <summary>An engine, states in native memory, and the whole way of records: sealed one by one, opened in bursts.</summary>
internal sealed unsafe class RecordTestBed : IDisposable
{
    private readonly List<nint> _states = [];

    public AeadEngine Engine { get; } = AeadEngine.CreateDefault();

    public TlsTrafficState* NewState(TlsCipherSuite suite, ReadOnlySpan<byte> secret, TlsTrafficUse use)
    {
        var state = (TlsTrafficState*)NativeMemory.AlignedAlloc(TlsTrafficState.SizeInBytes, 64);
        TlsTrafficState.Initialize(state, suite, secret, use);
        _states.Add((nint)state);
        return state;
    }

    public RecordPair NewPair(TlsCipherSuite suite = TlsCipherSuite.Aes128GcmSha256, byte seed = 1, TlsTrafficUse use = TlsTrafficUse.ReadAsServer) =>
        new(this, suite, seed, use);

    /// <summary>Seals one record.</summary>
    public byte[] Seal(TlsTrafficState* state, ReadOnlySpan<byte> content, TlsContentType type = TlsContentType.ApplicationData)
    {
        using var burst = new AeadBurst(1);
        using var from = new NativeBuffer(content.Length + 1, GuardPage.Behind);
        using var to = new NativeBuffer(content.Length + TlsRecordSizes.Overhead, GuardPage.Behind);
        content.CopyTo(from.Span);
        TlsRecordStatus status = TlsRecordWriter.TryAdd(burst, state, type, from.Pointer, content.Length, to.Pointer, to.Length, out int length);
        Assert.Equal(TlsRecordStatus.Added, status);
        Assert.Equal(to.Length, length);
        burst.Run(Engine);
        Assert.Equal(AeadStatus.Success, burst[0]->Status);
        return to.Span.ToArray();
    }

    /// <summary>Seals any inner plaintext, also those that the writer refuses to make, under the state's next sequence number.</summary>
    public byte[] SealInner(TlsTrafficState* state, ReadOnlySpan<byte> innerPlaintext)
    {
        byte[] record = new byte[TlsRecordSizes.Header + innerPlaintext.Length + AeadSizes.Tag];
        int payload = record.Length - TlsRecordSizes.Header;
        record[0] = 23;
        record[1] = record[2] = 3;
        record[3] = (byte)(payload >> 8);
        record[4] = (byte)payload;
        AeadOperation operation = default;
        state->WriteNonce(&operation, state->Sequence++);
        AeadStatus status = Engine.Seal(state->Key, new ReadOnlySpan<byte>(operation.Nonce, AeadSizes.Nonce), innerPlaintext,
            record.AsSpan(TlsRecordSizes.Header, innerPlaintext.Length), record.AsSpan(record.Length - AeadSizes.Tag), record.AsSpan(0, TlsRecordSizes.Header));
        Assert.Equal(AeadStatus.Success, status);
        return record;
    }

    /// <summary>Seals a KeyUpdate and goes on to the next key.</summary>
    public byte[] SealKeyUpdate(TlsTrafficState* state, bool requestUpdate = false)
    {
        using var burst = new AeadBurst(1);
        using var to = new NativeBuffer(5 + TlsRecordSizes.Overhead, GuardPage.Behind);
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.PrepareKeyUpdate(burst, state, requestUpdate, to.Pointer, to.Length, out int length));
        Assert.Equal(to.Length, length);
        burst.Run(Engine);
        TlsRecordWriter.CompleteKeyUpdate(state, Engine);
        return to.Span.ToArray();
    }

    /// <summary>Opens records of one connection in one burst.</summary>
    public OpenResult[] Open(TlsTrafficState* state, params byte[][] records) =>
        Open([.. records.Select(record => ((nint)state, record))]);

    /// <summary>Opens records of any connections in one burst.</summary>
    /// <param name="records">State and record of each.</param>
    /// <param name="spareOperations">Room of the burst beyond the records, for those that are opened again.</param>
    public OpenResult[] Open(IReadOnlyList<(nint State, byte[] Record)> records, int spareOperations = 64)
    {
        using var burst = new AeadBurst(records.Count + spareOperations);
        using var reader = new TlsRecordReader(records.Count);
        var sources = new List<NativeBuffer>();
        var destinations = new List<NativeBuffer>();
        try
        {
            for (int i = 0; i < records.Count; i++)
            {
                byte[] record = records[i].Record;
                sources.Add(new NativeBuffer(record, GuardPage.Behind));
                destinations.Add(new NativeBuffer(Math.Max(0, record.Length - TlsRecordSizes.Header - AeadSizes.Tag), GuardPage.Behind));
                Assert.True(reader.TryAdd(burst, (TlsTrafficState*)records[i].State, sources[i].Pointer, record.Length, destinations[i].Pointer, (ulong)i));
            }
            burst.Run(Engine);
            int rounds = 0;
            for (int first = burst.Count; reader.Complete(burst, Engine); first = burst.Count)
            {
                burst.Run(Engine, first);
                Assert.True(++rounds <= records.Count, "The reader asks for runs without end.");
            }
            var results = new OpenResult[records.Count];
            for (int i = 0; i < records.Count; i++)
            {
                ref readonly TlsOpenedRecord result = ref reader[i];
                Assert.Equal(records[i].Record, sources[i].Span);
                results[i] = new OpenResult(result.Status, result.ContentType, result.Content.ToArray(), result.Alert, result.UserData, destinations[i].Span.ToArray());
            }
            return results;
        }
        finally
        {
            sources.ForEach(buffer => buffer.Dispose());
            destinations.ForEach(buffer => buffer.Dispose());
        }
    }

    public void Dispose()
    {
        foreach (nint state in _states)
        {
            ((TlsTrafficState*)state)->Release(Engine);
            NativeMemory.AlignedFree((void*)state);
        }
        Engine.Dispose();
    }
}
