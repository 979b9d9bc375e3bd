using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>Half a million records in bursts over several associations: what they cost besides time.</summary>
public sealed unsafe class DtlsSteadyStateTests
{
    private const int BurstSize = 32, Associations = 8, ContentLength = 64, Room = 128, Records = 500_000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Records_good_or_forged_cost_no_managed_memory_no_exception_and_no_contention(bool forged)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        using var states = new NativeBuffer(2 * Associations * DtlsTrafficState.SizeInBytes);
        var writers = (DtlsTrafficState*)states.Pointer;
        DtlsTrafficState* readers = writers + Associations;
        for (int i = 0; i < Associations; i++)
        {
            var suite = i % 2 == 0 ? DtlsCipherSuite.PskAes128GcmSha256 : DtlsCipherSuite.PskAes256GcmSha384;
            DtlsRecords.Initialize(writers + i, suite, (byte)(i + 1));
            DtlsRecords.Initialize(readers + i, suite, (byte)(i + 1));
        }
        using var burst = new AeadBurst(BurstSize);
        using var reader = new DtlsRecordReader(BurstSize);
        using var wire = new NativeBuffer(BurstSize * Room);
        DtlsOpenStatus expected = forged ? DtlsOpenStatus.BadRecordMac : DtlsOpenStatus.Opened;

        void Run(int bursts)
        {
            for (int n = 0; n < bursts; n++)
            {
                for (int i = 0; i < BurstSize; i++)
                {
                    byte* record = wire.Pointer + (Room * i);
                    DtlsTrafficState* writer = writers + (i % Associations);
                    byte* text = record + writer->ContentOffset;
                    new Span<byte>(text, ContentLength).Fill((byte)n);
                    DtlsRecordWriter.TryAdd(burst, writer, TlsContentType.ApplicationData, text, ContentLength, record, Room, out _);
                }
                burst.Run(engine);
                burst.Clear();
                for (int i = 0; i < BurstSize; i++)
                {
                    byte* record = wire.Pointer + (Room * i);
                    if (forged)
                        record[30] ^= 1;
                    reader.TryAdd(burst, readers + (i % Associations), record, ContentLength + writers[0].Overhead, (ulong)i);
                }
                burst.Run(engine);
                reader.Complete(burst);
                for (int i = 0; i < BurstSize; i++)
                {
                    ref readonly DtlsOpenedRecord record = ref reader[i];
                    if (record.Status != expected || (!forged && (record.Length != ContentLength || record.Data[ContentLength - 1] != (byte)n)))
                        throw new InvalidOperationException($"Record {i} of burst {n}: {record.Status}");
                }
                reader.Clear();
                burst.Clear();
            }
        }

        Run(100);
        AllocationReading reading = AllocationMeter.MeasureUntilSteady(() => Run(Records / BurstSize));
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        for (int i = 0; i < 2 * Associations; i++)
            writers[i].Release(engine);
    }
}
