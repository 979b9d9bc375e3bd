using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

/// <summary>KeyUpdates in the middle of bursts: what is behind one is opened with the next key.</summary>
public sealed unsafe class KeyUpdateTests
{
    private const int BurstSize = 32;

    public static TheoryData<int> Positions => [.. Enumerable.Range(0, BurstSize)];

    [Theory]
    [MemberData(nameof(Positions))]
    public void A_KeyUpdate_is_obeyed_at_every_position_of_a_burst(int position)
    {
        using var bed = new RecordTestBed();
        foreach (TlsCipherSuite suite in RoundTripTests.Suites.Select(row => row.Data))
            AssertBurst(bed, bed.NewPair(suite), index => index == position, spareOperations: 64);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 31)]
    [InlineData(7, 8)]
    [InlineData(15, 24)]
    [InlineData(30, 31)]
    public void Two_KeyUpdates_in_a_burst_are_obeyed(int first, int second)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        AssertBurst(bed, pair, index => index == first || index == second, spareOperations: 64);
        Assert.Equal(2u, pair.Reader->KeyUpdates);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(40)]
    public void A_burst_without_room_opens_what_is_behind_a_KeyUpdate_all_the_same(int spareOperations)
    {
        using var bed = new RecordTestBed();
        AssertBurst(bed, bed.NewPair(), index => index is 3 or 9 or 10 or 31, spareOperations);
    }

    [Fact]
    public void A_KeyUpdate_leaves_the_records_of_other_connections_alone()
    {
        using var bed = new RecordTestBed();
        RecordPair[] pairs = [bed.NewPair(seed: 1), bed.NewPair(TlsCipherSuite.Aes256GcmSha384, 2), bed.NewPair(TlsCipherSuite.ChaCha20Poly1305Sha256, 3)];
        var random = new Random(8446);
        for (int round = 0; round < 10; round++)
        {
            var records = new List<(nint, byte[])>();
            var expected = new List<byte[]?>();
            for (int i = 0; i < BurstSize; i++)
            {
                RecordPair pair = pairs[random.Next(pairs.Length)];
                bool update = random.Next(6) == 0;
                byte[] content = [(byte)round, (byte)i, .. new byte[random.Next(40)]];
                expected.Add(update ? null : content);
                records.Add(((nint)pair.Reader, update ? bed.SealKeyUpdate(pair.Writer) : bed.Seal(pair.Writer, content)));
            }
            OpenResult[] results = bed.Open(records, spareOperations: round * 6);
            for (int i = 0; i < BurstSize; i++)
                AssertResult(results[i], expected[i]);
        }
        Assert.All(pairs, pair => Assert.Equal(pair.Writer->KeyUpdates, pair.Reader->KeyUpdates));
    }

    [Fact]
    public void A_request_is_remembered_once_until_it_is_taken()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        bed.Open(pair.Reader, bed.SealKeyUpdate(pair.Writer));
        Assert.False(pair.Reader->TakeKeyUpdateRequest());
        bed.Open(pair.Reader, bed.SealKeyUpdate(pair.Writer, requestUpdate: true), bed.SealKeyUpdate(pair.Writer, requestUpdate: true), bed.SealKeyUpdate(pair.Writer));
        Assert.True(pair.Reader->TakeKeyUpdateRequest());
        Assert.False(pair.Reader->TakeKeyUpdateRequest());
        Assert.Equal(4u, pair.Reader->KeyUpdates);
    }

    [Fact]
    public void A_KeyUpdate_may_come_in_pieces()
    {
        using var bed = new RecordTestBed();
        byte[] message = [24, 0, 0, 1, 1];
        for (int cut = 1; cut < message.Length; cut++)
        {
            RecordPair pair = bed.NewPair();
            byte[] first = bed.Seal(pair.Writer, message.AsSpan(0, cut), TlsContentType.Handshake);
            byte[] second = bed.Seal(pair.Writer, message.AsSpan(cut), TlsContentType.Handshake);
            bed.Engine.Retire(pair.Writer->AdvanceKey());
            byte[] third = bed.Seal(pair.Writer, [77]);
            OpenResult[] results = bed.Open(pair.Reader, first, second, third);
            AssertResult(results[0], null);
            AssertResult(results[1], null);
            AssertResult(results[2], [77]);
            Assert.True(pair.Reader->TakeKeyUpdateRequest());
        }
    }

    [Fact]
    public void Data_between_the_pieces_of_a_message_ends_the_connection()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        OpenResult[] results = bed.Open(pair.Reader, bed.Seal(pair.Writer, [24, 0], TlsContentType.Handshake), bed.Seal(pair.Writer, [1, 2, 3]));
        Assert.Equal(TlsOpenStatus.UnexpectedMessage, results[1].Status);
        Assert.All(results[1].Destination, b => Assert.Equal(0, b));
        Assert.True(pair.Reader->IsClosed);
    }

    [Theory]
    [InlineData(TlsOpenStatus.UnexpectedMessage, new byte[] { 24, 0, 0, 1, 0, 24 })] // RFC 8446 §5.1: something behind it in its record
    [InlineData(TlsOpenStatus.UnexpectedMessage, new byte[] { 24, 0, 0, 1, 0, 24, 0, 0, 1, 0 })]
    [InlineData(TlsOpenStatus.IllegalParameter, new byte[] { 24, 0, 0, 1, 2 })]
    [InlineData(TlsOpenStatus.IllegalParameter, new byte[] { 24, 0, 0, 1, 255 })]
    [InlineData(TlsOpenStatus.DecodeError, new byte[] { 24, 0, 0, 2, 0, 0 })]
    [InlineData(TlsOpenStatus.DecodeError, new byte[] { 24, 0, 0, 0 })]
    [InlineData(TlsOpenStatus.DecodeError, new byte[] { 24, 255, 255, 255 })]
    [InlineData(TlsOpenStatus.UnexpectedMessage, new byte[] { 4, 0, 0, 1, 0 })] // a NewSessionTicket from a client
    [InlineData(TlsOpenStatus.UnexpectedMessage, new byte[] { 20, 0, 0, 0 })]
    [InlineData(TlsOpenStatus.UnexpectedMessage, new byte[] { 1, 0, 0, 4, 3, 3, 0, 0 })]
    public void A_bad_message_ends_the_connection(TlsOpenStatus expected, byte[] message)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        OpenResult[] results = bed.Open(pair.Reader, bed.Seal(pair.Writer, message, TlsContentType.Handshake), bed.Seal(pair.Writer, [1]));
        Assert.Equal(expected, results[0].Status);
        Assert.Equal(TlsOpenStatus.Ended, results[1].Status);
        Assert.Empty(results[1].Content);
    }

    [Fact]
    public void A_client_skips_tickets_of_every_size_and_cut()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(use: TlsTrafficUse.ReadAsClient);
        byte[] ticket = [4, 0, 0, 200, .. new byte[200]], large = [4, 1, 0, 0, .. new byte[65536]];
        var records = new List<byte[]>
        {
            bed.Seal(pair.Writer, [.. ticket, .. ticket], TlsContentType.Handshake),
            bed.Seal(pair.Writer, [.. ticket, .. ticket[..3]], TlsContentType.Handshake),
            bed.Seal(pair.Writer, ticket[3..], TlsContentType.Handshake),
        };
        for (int start = 0; start < large.Length; start += 16000)
            records.Add(bed.Seal(pair.Writer, large.AsSpan(start, Math.Min(16000, large.Length - start)), TlsContentType.Handshake));
        records.Add(bed.Seal(pair.Writer, [5]));
        OpenResult[] results = bed.Open(pair.Reader, [.. records]);
        Assert.All(results[..^1], result => AssertResult(result, null));
        AssertResult(results[^1], [5]);
    }

    [Fact]
    public void A_ticket_that_is_longer_than_tickets_can_be_is_refused()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(use: TlsTrafficUse.ReadAsClient);
        Assert.Equal(TlsOpenStatus.DecodeError, bed.Open(pair.Reader, bed.Seal(pair.Writer, [4, 255, 255, 255], TlsContentType.Handshake))[0].Status);
    }

    [Fact]
    public void A_flood_of_KeyUpdates_ends_the_connection_unless_data_comes_between()
    {
        using var bed = new RecordTestBed();
        byte[] enough = new byte[TlsRecordReader.KeyUpdateWindow / TlsRecordReader.MaxKeyUpdates];
        RecordPair patient = bed.NewPair();
        for (int i = 0; i < 5 * TlsRecordReader.MaxKeyUpdates; i++)
            Assert.Equal(TlsOpenStatus.Opened, bed.Open(patient.Reader, bed.SealKeyUpdate(patient.Writer), bed.Seal(patient.Writer, enough))[1].Status);

        RecordPair flooded = bed.NewPair();
        for (int i = 0; i < TlsRecordReader.MaxKeyUpdates; i++)
            AssertResult(bed.Open(flooded.Reader, bed.SealKeyUpdate(flooded.Writer), bed.Seal(flooded.Writer, [1]))[0], null);
        Assert.Equal(TlsOpenStatus.TooManyKeyUpdates, bed.Open(flooded.Reader, bed.SealKeyUpdate(flooded.Writer))[0].Status);
    }

    [Fact]
    public void KeyUpdates_cost_no_managed_memory()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(TlsCipherSuite.Aes256GcmSha384);
        using var burst = new CryptoPlane.Aead.AeadBurst(8);
        using var reader = new TlsRecordReader(4);
        using var wire = new NativeBuffer(1024);
        using var text = new NativeBuffer(2048);
        void Run()
        {
            for (int i = 0; i < 1000; i++)
            {
                TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, true, wire.Pointer, wire.Length, out int updateLength);
                TlsRecordWriter.TryAdd(burst, pair.Writer, TlsContentType.ApplicationData, text.Pointer, 600, wire.Pointer + 32, 700, out int dataLength);
                burst.Run(bed.Engine);
                TlsRecordWriter.CompleteKeyUpdate(pair.Writer, bed.Engine);
                burst.Clear();
                reader.TryAdd(burst, pair.Reader, wire.Pointer, updateLength, text.Pointer, 0);
                reader.TryAdd(burst, pair.Reader, wire.Pointer + 32, dataLength, text.Pointer + 1024, 0);
                burst.Run(bed.Engine);
                for (int first = burst.Count; reader.Complete(burst, bed.Engine); first = burst.Count)
                    burst.Run(bed.Engine, first);
                if (reader[0].Status != TlsOpenStatus.Handled || reader[1].Status != TlsOpenStatus.Opened)
                    throw new InvalidOperationException($"{reader[0].Status}, {reader[1].Status}");
                reader.Clear();
                burst.Clear();
            }
        }

        Run();
        AllocationReading reading = AllocationMeter.Measure(Run);
        Assert.Equal(0, reading.AllocatedBytes);
        Assert.Equal(0, reading.Exceptions);
        Assert.Equal(2000u, pair.Reader->KeyUpdates);
    }

    private static void AssertBurst(RecordTestBed bed, RecordPair pair, Func<int, bool> isUpdate, int spareOperations)
    {
        var records = new List<(nint, byte[])>();
        for (int i = 0; i < BurstSize; i++)
            records.Add(((nint)pair.Reader, isUpdate(i) ? bed.SealKeyUpdate(pair.Writer) : bed.Seal(pair.Writer, [(byte)i, 1, 2])));
        OpenResult[] results = bed.Open(records, spareOperations);
        for (int i = 0; i < BurstSize; i++)
            AssertResult(results[i], isUpdate(i) ? null : [(byte)i, 1, 2]);
        // And the connection goes on.
        AssertResult(bed.Open(pair.Reader, bed.Seal(pair.Writer, [9]))[0], [9]);
    }

    private static void AssertResult(OpenResult result, byte[]? content)
    {
        Assert.Equal(content == null ? TlsOpenStatus.Handled : TlsOpenStatus.Opened, result.Status);
        Assert.Equal(content ?? [], result.Content);
    }
}
