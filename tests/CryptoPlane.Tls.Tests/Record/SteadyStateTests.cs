using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

/// <summary>A million records in bursts over several connections: what the record layer costs besides time.</summary>
public sealed unsafe class SteadyStateTests
{
    private const int BurstSize = 32, Connections = 8, ContentLength = 64;

    [Fact]
    public void A_million_records_cost_no_managed_memory_no_exception_and_no_contention()
    {
        using var bed = new RecordTestBed();
        RecordPair[] pairs = [.. Enumerable.Range(0, Connections).Select(i => bed.NewPair(seed: (byte)(i + 1)))];
        using var burst = new AeadBurst(BurstSize);
        using var reader = new TlsRecordReader(BurstSize);
        using var wire = new NativeBuffer(BurstSize * 128);
        using var text = new NativeBuffer(BurstSize * 128);

        int done = 0;
        void Run(int bursts)
        {
            done += bursts;
            for (int n = 0; n < bursts; n++)
            {
                for (int i = 0; i < BurstSize; i++)
                {
                    // In place: the plaintext lies where the ciphertext will.
                    byte* record = wire.Pointer + (128 * i);
                    new Span<byte>(record + TlsRecordSizes.Header, ContentLength).Fill((byte)n);
                    TlsRecordWriter.TryAdd(burst, pairs[i % Connections].Writer, TlsContentType.ApplicationData,
                        record + TlsRecordSizes.Header, ContentLength, record, 128, out _);
                }
                burst.Run(bed.Engine);
                burst.Clear();
                for (int i = 0; i < BurstSize; i++)
                    reader.TryAdd(burst, pairs[i % Connections].Reader, wire.Pointer + (128 * i), ContentLength + TlsRecordSizes.Overhead, text.Pointer + (128 * i), (ulong)i);
                burst.Run(bed.Engine);
                if (reader.Complete(burst, bed.Engine))
                    throw new InvalidOperationException("There was no KeyUpdate.");
                for (int i = 0; i < BurstSize; i++)
                {
                    ref readonly TlsOpenedRecord record = ref reader[i];
                    if (record.Status != TlsOpenStatus.Opened || record.Length != ContentLength || record.Data[0] != (byte)n || record.Data[ContentLength - 1] != (byte)n)
                        throw new InvalidOperationException($"Record {i} of burst {n}: {record.Status}");
                }
                reader.Clear();
                burst.Clear();
            }
        }

        Run(100);
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(() => Run(1_000_000 / BurstSize));
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        Assert.All(pairs, pair => Assert.Equal((ulong)(done * BurstSize / Connections), pair.Reader->Records));
    }

    [Fact]
    public void A_million_forged_records_cost_no_managed_memory_and_no_exception()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        using var burst = new AeadBurst(BurstSize);
        using var reader = new TlsRecordReader(BurstSize);
        using var wire = new NativeBuffer(bed.Seal(pair.Writer, new byte[ContentLength]));
        using var text = new NativeBuffer(128);
        wire.Pointer[20] ^= 1;
        TlsTrafficState fresh = *pair.Reader;
        void Run(int bursts)
        {
            for (int n = 0; n < bursts; n++)
            {
                // As if each came on a connection of its own.
                *pair.Reader = fresh;
                for (int i = 0; i < BurstSize; i++)
                    reader.TryAdd(burst, pair.Reader, wire.Pointer, wire.Length, text.Pointer, 0);
                burst.Run(bed.Engine);
                reader.Complete(burst, bed.Engine);
                if (reader[0].Status != TlsOpenStatus.BadRecordMac || reader[BurstSize - 1].Status != TlsOpenStatus.Ended)
                    throw new InvalidOperationException("A forged record was not refused.");
                reader.Clear();
                burst.Clear();
            }
        }

        Run(100);
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(() => Run(1_000_000 / BurstSize));
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
    }
}
