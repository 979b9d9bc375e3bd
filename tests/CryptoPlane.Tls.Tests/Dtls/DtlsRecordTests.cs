using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>Records of epoch 1: what is opened, and what is dropped and changes nothing.</summary>
public sealed unsafe class DtlsRecordTests : IDisposable
{
    private readonly AeadEngine _engine = AeadEngine.CreateDefault();
    private readonly NativeBuffer _states = new(2 * DtlsTrafficState.SizeInBytes);

    public static TheoryData<DtlsCipherSuite> Suites => [.. Enum.GetValues<DtlsCipherSuite>().Where(suite => suite != DtlsCipherSuite.None)];

    private DtlsTrafficState* Writer => (DtlsTrafficState*)_states.Pointer;

    private DtlsTrafficState* Reader => Writer + 1;

    public void Dispose()
    {
        Writer->Release(_engine);
        Reader->Release(_engine);
        _states.Dispose();
        _engine.Dispose();
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Contents_of_all_sizes_come_back(DtlsCipherSuite suite)
    {
        Start(suite);
        int[] sizes = [0, 1, 2, 15, 16, 17, 64, 1400, DtlsRecordSizes.MaxContent];
        byte[][] texts = [.. sizes.Select(size => Enumerable.Range(0, size).Select(i => (byte)(i * 7)).ToArray())];
        byte[][] records = [.. texts.Select(text => Seal(text))];
        (DtlsOpenStatus Status, byte[] Content)[] opened = DtlsRecords.Open(_engine, Reader, records);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(DtlsOpenStatus.Opened, opened[i].Status);
            Assert.Equal(texts[i], opened[i].Content);
        }
        Assert.Equal((ulong)sizes.Sum(), Reader->Bytes);
        Assert.Equal(Reader->Bytes, Writer->Bytes);
        Assert.Equal((ulong)sizes.Length, Writer->Records);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void What_was_received_is_dropped_in_the_same_burst_and_later(DtlsCipherSuite suite)
    {
        Start(suite);
        byte[] first = Seal([1]), second = Seal([2]);
        Assert.Equal([DtlsOpenStatus.Opened, DtlsOpenStatus.Replayed, DtlsOpenStatus.Opened], Statuses(second, second, first));
        Assert.Equal([DtlsOpenStatus.Replayed, DtlsOpenStatus.Replayed], Statuses(first, second));
    }

    [Fact]
    public void Records_older_than_the_window_are_late_and_others_may_come_out_of_order()
    {
        Start();
        byte[][] records = [.. Enumerable.Range(0, 1500).Select(i => Seal([(byte)i]))];
        Assert.Equal([DtlsOpenStatus.Opened], Statuses(records[1400]));
        Assert.Equal([DtlsOpenStatus.Late, DtlsOpenStatus.Opened, DtlsOpenStatus.Opened], Statuses(records[440], records[441], records[1399]));
        Assert.True(Reader->IsNewest(1400));
        Assert.False(Reader->IsNewest(1399));
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_changed_bit_is_noticed_and_harmless(DtlsCipherSuite suite)
    {
        Start(suite);
        byte[] good = Seal([1, 2, 3, 4]);
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            DtlsOpenStatus status = Statuses(bad)[0];
            Assert.True(status is DtlsOpenStatus.Malformed or DtlsOpenStatus.WrongEpoch or DtlsOpenStatus.BadRecordMac, $"bit {bit}: {status}");
        }
        foreach (byte[] cut in Malformed.Mutations.Truncations(good))
            Assert.Equal(DtlsOpenStatus.Malformed, Statuses(cut)[0]);
        Assert.Equal([DtlsOpenStatus.Opened], Statuses(good));
    }

    [Fact]
    public void A_forged_record_leaves_nothing_of_its_plaintext()
    {
        Start();
        using var record = new NativeBuffer(Seal("a secret text"u8.ToArray()));
        using var burst = new AeadBurst(1);
        using var reader = new DtlsRecordReader(1);
        record.Span[^1] ^= 1;
        Assert.True(reader.TryAdd(burst, Reader, record.Pointer, record.Length, 0));
        Assert.False(reader.TryAdd(burst, Reader, record.Pointer, record.Length, 0));
        burst.Run(_engine);
        reader.Complete(burst);
        Assert.Equal(DtlsOpenStatus.BadRecordMac, reader[0].Status);
        Assert.True(reader[0].Content.IsEmpty);
        Assert.Equal(-1, record.Span[21..34].IndexOfAnyExcept((byte)0));
    }

    [Fact]
    public void Other_epochs_and_an_empty_state_open_nothing()
    {
        Start();
        byte[] good = Seal([1]);
        Assert.Equal([DtlsOpenStatus.WrongEpoch, DtlsOpenStatus.WrongEpoch], Statuses(WithEpoch(good, 0), WithEpoch(good, 2)));
        Reader->Release(_engine);
        Assert.Equal([DtlsOpenStatus.WrongEpoch, DtlsOpenStatus.WrongEpoch], Statuses(good, WithEpoch(good, 0)));
    }

    [Theory]
    [InlineData(TlsContentType.Alert, new byte[] { 1, 0 }, DtlsOpenStatus.CloseNotify, true)]
    [InlineData(TlsContentType.Alert, new byte[] { 2, 0 }, DtlsOpenStatus.CloseNotify, true)]
    [InlineData(TlsContentType.Alert, new byte[] { 2, 40 }, DtlsOpenStatus.PeerAlert, true)]
    [InlineData(TlsContentType.Alert, new byte[] { 1, 90 }, DtlsOpenStatus.Ignored, false)]
    [InlineData(TlsContentType.Alert, new byte[] { 2 }, DtlsOpenStatus.Unexpected, false)]
    [InlineData(TlsContentType.Alert, new byte[] { 2, 40, 0 }, DtlsOpenStatus.Unexpected, false)]
    [InlineData(TlsContentType.ChangeCipherSpec, new byte[] { 1 }, DtlsOpenStatus.Unexpected, false)]
    [InlineData(TlsContentType.Handshake, new byte[] { 0 }, DtlsOpenStatus.Handshake, false)]
    public void Other_types_mean_what_the_protocol_says(TlsContentType type, byte[] content, DtlsOpenStatus expected, bool ends)
    {
        Start();
        byte[] record = DtlsRecords.Seal(_engine, Writer, type, content);
        byte[] behind = Seal([1]);
        // A forged alert is a forged record, no more.
        byte[] forged = [.. record];
        forged[^1] ^= 1;
        Assert.Equal([DtlsOpenStatus.BadRecordMac], Statuses(forged));
        Assert.Equal([expected, ends ? DtlsOpenStatus.Ended : DtlsOpenStatus.Opened], Statuses(record, behind));
        Assert.Equal(ends, Reader->IsClosed);
    }

    [Fact]
    public void An_alert_closes_the_direction_that_it_is_sent_on()
    {
        Start();
        using var burst = new AeadBurst(2);
        using var record = new NativeBuffer(64);
        Assert.Equal(TlsRecordStatus.DestinationTooSmall, DtlsRecordWriter.TryAddAlert(burst, Writer, TlsAlert.CloseNotify, record.Pointer, 38, out _));
        Assert.Equal(TlsRecordStatus.Added, DtlsRecordWriter.TryAddAlert(burst, Writer, TlsAlert.CloseNotify, record.Pointer, 39, out int length));
        burst.Run(_engine);
        Assert.Equal([DtlsOpenStatus.CloseNotify], Statuses(record.Span[..length].ToArray()));
        Assert.Equal(TlsRecordStatus.Closed, DtlsRecordWriter.TryAddAlert(burst, Writer, TlsAlert.CloseNotify, record.Pointer, 39, out _));
    }

    [Fact]
    public void A_used_up_key_refuses_data_and_still_says_so()
    {
        Start();
        using var burst = new AeadBurst(8);
        using var record = new NativeBuffer(64);
        Writer->Sequence = DtlsRecordHeader.MaxSequence - 1;
        Assert.True(Writer->IsExhausted);
        byte* text = record.Pointer + Writer->ContentOffset;
        Assert.Equal(TlsRecordStatus.KeyExhausted, DtlsRecordWriter.TryAdd(burst, Writer, TlsContentType.ApplicationData, text, 1, record.Pointer, 64, out _));
        Assert.Equal(TlsRecordStatus.Added, DtlsRecordWriter.TryAddAlert(burst, Writer, TlsAlert.CloseNotify, record.Pointer, 64, out int length));
        burst.Run(_engine);
        Assert.Equal([DtlsOpenStatus.CloseNotify], Statuses(record.Span[..length].ToArray()));

        DtlsRecords.Initialize(Writer, DtlsCipherSuite.PskAes256GcmSha384);
        Writer->ContentBytes = Writer->ContentLimit;
        Assert.Equal(TlsRecordStatus.KeyExhausted, DtlsRecordWriter.TryAdd(burst, Writer, TlsContentType.ApplicationData, text, 1, record.Pointer, 64, out _));
        Assert.Equal(TlsRecordStatus.InvalidLength, DtlsRecordWriter.TryAdd(burst, Writer, TlsContentType.Handshake, text, 0, record.Pointer, 64, out _));
    }

    [Fact]
    public void The_window_agrees_with_a_set_over_random_numbers()
    {
        var random = new Random(11);
        for (int round = 0; round < 20; round++)
        {
            DtlsReplayWindow window = default;
            var seen = new HashSet<ulong>();
            ulong next = (ulong)random.Next(3) * 1000;
            for (int i = 0; i < 5000; i++)
            {
                ulong number = random.Next(4) switch
                {
                    0 => next + (ulong)random.Next(1, 200),
                    1 when random.Next(50) == 0 => next + (ulong)random.Next(1, 5000),
                    _ => (ulong)Math.Max(0, (long)next - random.Next(1200)),
                };
                DtlsOpenStatus expected = number < window.Next && window.Next - number > DtlsReplayWindow.Size ? DtlsOpenStatus.Late
                    : seen.Contains(number) ? DtlsOpenStatus.Replayed : DtlsOpenStatus.Pending;
                Assert.Equal(expected, window.Check(number));
                Assert.Equal(expected, window.CheckAndSet(number));
                if (expected == DtlsOpenStatus.Pending)
                    seen.Add(number);
                next = Math.Max(next, number);
            }
        }
    }

    private static byte[] WithEpoch(byte[] record, byte epoch)
    {
        byte[] changed = [.. record];
        changed[4] = epoch;
        return changed;
    }

    private void Start(DtlsCipherSuite suite = DtlsCipherSuite.PskAes128GcmSha256)
    {
        DtlsRecords.Initialize(Writer, suite);
        DtlsRecords.Initialize(Reader, suite);
    }

    private byte[] Seal(byte[] text) => DtlsRecords.Seal(_engine, Writer, TlsContentType.ApplicationData, text);

    private DtlsOpenStatus[] Statuses(params byte[][] records) => [.. DtlsRecords.Open(_engine, Reader, records).Select(result => result.Status)];
}
