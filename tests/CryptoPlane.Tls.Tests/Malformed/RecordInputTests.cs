using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Record;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>The record layer with random bytes and random contents: a status each time, within the buffers, without managed garbage.</summary>
public sealed unsafe class RecordInputTests
{
    [Fact]
    public void Random_and_changed_records_get_a_status()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] good = bed.Seal(pair.Writer, new byte[100]);
        TlsTrafficState fresh = *pair.Reader;
        var random = new Random(8);
        using var wire = new NativeBuffer(4096, GuardPage.Behind);
        using var text = new NativeBuffer(4096, GuardPage.Behind);
        using var burst = new AeadBurst(4);
        using var reader = new TlsRecordReader(4);
        for (int i = 0; i < 30_000; i++)
        {
            byte[] record = i % 2 == 0 ? Mutations.Random(good, random) : RandomRecord(random);
            // Against the guard pages: nothing may be read or written behind them.
            byte* at = wire.Pointer + wire.Length - record.Length;
            record.CopyTo(new Span<byte>(at, record.Length));
            byte* destination = text.Pointer + text.Length - Math.Max(0, record.Length - TlsRecordSizes.Header - AeadSizes.Tag);
            *pair.Reader = fresh;
            Assert.True(reader.TryAdd(burst, pair.Reader, at, record.Length, destination, 1));
            burst.Run(bed.Engine);
            Assert.False(reader.Complete(burst, bed.Engine));
            ref readonly TlsOpenedRecord result = ref reader[0];
            if (!record.AsSpan().SequenceEqual(good))
            {
                Assert.True(result.IsFailure, result.Status.ToString());
                Assert.Equal(0, result.Length);
                Assert.True(pair.Reader->IsClosed);
            }
            reader.Clear();
            burst.Clear();
        }
    }

    [Fact]
    public void Random_contents_under_the_right_key_get_a_status()
    {
        using var bed = new RecordTestBed();
        var random = new Random(9);
        foreach (TlsTrafficUse use in (TlsTrafficUse[])[TlsTrafficUse.ReadAsServer, TlsTrafficUse.ReadAsClient, TlsTrafficUse.ReadHandshake])
        {
            RecordPair pair = bed.NewPair(use: use);
            byte[][] seeds = [[24, 0, 0, 1, 0, 22], [24, 0, 0, 1, 1, 22], [4, 0, 0, 3, 1, 2, 3, 22], [1, 0, 21], [2, 40, 21], [1, 90, 21], [7, 7, 23], [22], [21], [0]];
            TlsTrafficState fresh = *pair.Reader, freshWriter = *pair.Writer;
            for (int i = 0; i < 4_000; i++)
            {
                // Up to four records in a row, so that unfinished messages meet what follows.
                *pair.Reader = fresh;
                *pair.Writer = freshWriter;
                var records = new List<byte[]>();
                for (int n = random.Next(1, 5); n > 0; n--)
                    records.Add(bed.SealInner(pair.Writer, Mutations.Random(seeds[random.Next(seeds.Length)], random)));
                uint epoch = pair.Reader->Epoch;
                OpenResult[] results = bed.Open(pair.Reader, [.. records]);
                bool ended = false;
                foreach (OpenResult result in results)
                {
                    Assert.NotEqual(TlsOpenStatus.Pending, result.Status);
                    if (ended)
                        Assert.Equal(TlsOpenStatus.Ended, result.Status);
                    ended |= result.Status is not (TlsOpenStatus.Opened or TlsOpenStatus.Handled);
                    Assert.True(result.Status == TlsOpenStatus.Opened || result.Content.Length == 0);
                }
                Assert.Equal(ended, pair.Reader->IsClosed);
                if (pair.Reader->Epoch != epoch)
                {
                    // A KeyUpdate has freed the key that the fresh state refers to: start over with a new one.
                    pair = bed.NewPair(use: use);
                    fresh = *pair.Reader;
                    freshWriter = *pair.Writer;
                }
            }
        }
    }

    private static byte[] RandomRecord(Random random)
    {
        byte[] record = new byte[random.Next(0, 200)];
        random.NextBytes(record);
        if (record.Length >= TlsRecordSizes.Header && random.Next(4) != 0)
        {
            record[0] = 23;
            record[3] = 0;
            record[4] = (byte)(record.Length - TlsRecordSizes.Header);
        }
        return record;
    }
}
