using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>The whole way of records: sealed one by one, opened in bursts, at the edge of their memory.</summary>
internal static unsafe class DtlsRecords
{
    /// <summary>Makes the state of a direction; the same seed makes the state of its other end.</summary>
    public static void Initialize(DtlsTrafficState* state, DtlsCipherSuite suite, byte seed = 1, ushort epoch = 1)
    {
        var parameters = DtlsSuiteParameters.Of(suite);
        byte[] key = new byte[parameters.KeyLength], iv = new byte[parameters.FixedIvLength];
        Array.Fill(key, seed);
        Array.Fill(iv, (byte)(seed + 1));
        DtlsTrafficState.Initialize(state, suite, epoch, key, iv);
    }

    public static byte[] Seal(AeadEngine engine, DtlsTrafficState* state, TlsContentType type, ReadOnlySpan<byte> content)
    {
        using var burst = new AeadBurst(1);
        using var record = new NativeBuffer(content.Length + state->Overhead, GuardPage.Behind);
        byte* text = record.Pointer + state->ContentOffset;
        content.CopyTo(new Span<byte>(text, content.Length));
        Assert.Equal(TlsRecordStatus.Added, DtlsRecordWriter.TryAdd(burst, state, type, text, content.Length, record.Pointer, record.Length, out int length));
        Assert.Equal(record.Length, length);
        burst.Run(engine);
        Assert.Equal(AeadStatus.Success, burst[0]->Status);
        return record.Span.ToArray();
    }

    /// <summary>Opens records in one burst.</summary>
    public static (DtlsOpenStatus Status, byte[] Content)[] Open(AeadEngine engine, DtlsTrafficState* state, params byte[][] records)
    {
        using var burst = new AeadBurst(Math.Max(1, records.Length));
        using var reader = new DtlsRecordReader(Math.Max(1, records.Length));
        var buffers = new List<NativeBuffer>();
        try
        {
            foreach (byte[] record in records)
            {
                buffers.Add(new NativeBuffer(record, GuardPage.Behind));
                Assert.True(reader.TryAdd(burst, state, buffers[^1].Pointer, record.Length, (ulong)buffers.Count));
            }
            burst.Run(engine);
            reader.Complete(burst);
            var results = new (DtlsOpenStatus, byte[])[records.Length];
            for (int i = 0; i < records.Length; i++)
            {
                ref readonly DtlsOpenedRecord opened = ref reader[i];
                Assert.Equal((ulong)(i + 1), opened.UserData);
                Assert.Equal(opened.Status >= DtlsOpenStatus.Malformed, opened.IsDropped);
                results[i] = (opened.Status, opened.Content.ToArray());
            }
            return results;
        }
        finally
        {
            buffers.ForEach(buffer => buffer.Dispose());
        }
    }
}
