using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

/// <summary>RFC 8446 §5.3 and §5.5, and the writer's other refusals.</summary>
public sealed unsafe class LimitTests
{
    [Fact]
    public void The_state_is_three_cache_lines_and_a_record_touches_the_first()
    {
        Assert.Equal(TlsTrafficState.SizeInBytes, sizeof(TlsTrafficState));
        Assert.Equal(0, TlsTrafficState.SizeInBytes % 64);
        TlsTrafficState state = default;
        byte* start = (byte*)&state;
        Assert.True((byte*)&state.UpdatesInWindow - start < 64);
        Assert.True((byte*)&state.Epoch - start < 64);
        Assert.True((byte*)&state.OutgoingKey - start >= 64);
        Assert.Equal(128, state.Secret - start);
        Assert.True(sizeof(TlsOpenedRecord) <= 64);
    }

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256, CipherSuiteParameters.AesGcmRecordLimit)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384, CipherSuiteParameters.AesGcmRecordLimit)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256, ulong.MaxValue)]
    public void Data_is_refused_before_the_key_is_used_up_and_a_KeyUpdate_helps(TlsCipherSuite suite, ulong limit)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(suite);
        ulong last = limit - TlsTrafficState.RecordReserve - 1;
        pair.Writer->Sequence = pair.Reader->Sequence = last;
        Assert.False(pair.Writer->IsKeyUpdateNeeded);
        Assert.Equal([1], bed.Open(pair.Reader, bed.Seal(pair.Writer, [1]))[0].Content);
        Assert.True(pair.Writer->IsKeyUpdateNeeded);
        Assert.True(pair.Reader->IsKeyUpdateNeeded);
        Assert.Equal(TlsRecordStatus.KeyUpdateNeeded, TryAdd(pair.Writer, TlsContentType.ApplicationData));
        Assert.Equal(last + 1, pair.Writer->Sequence);

        Assert.Equal(TlsOpenStatus.Handled, bed.Open(pair.Reader, bed.SealKeyUpdate(pair.Writer))[0].Status);
        Assert.Equal(0ul, pair.Writer->Sequence);
        Assert.Equal([2], bed.Open(pair.Reader, bed.Seal(pair.Writer, [2]))[0].Content);
        Assert.Equal(last + 3, pair.Reader->Records);
    }

    [Fact]
    public void A_key_that_is_used_up_seals_nothing_at_all()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        pair.Writer->Sequence = CipherSuiteParameters.AesGcmRecordLimit - 1;
        Assert.Equal(TlsRecordStatus.Added, TryAdd(pair.Writer, TlsContentType.Alert));
        Assert.Equal(TlsRecordStatus.KeyExhausted, TryAdd(pair.Writer, TlsContentType.Alert));
        Assert.Equal(TlsRecordStatus.KeyExhausted, TryAdd(pair.Writer, TlsContentType.ApplicationData));
        Assert.Equal(CipherSuiteParameters.AesGcmRecordLimit, pair.Writer->Sequence);
    }

    [Fact]
    public void A_peer_that_never_updates_is_opened_until_its_sequence_numbers_end()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        pair.Writer->DataLimit = pair.Writer->RecordLimit = ulong.MaxValue;
        pair.Writer->Sequence = pair.Reader->Sequence = CipherSuiteParameters.AesGcmRecordLimit + 5;
        Assert.Equal(TlsOpenStatus.Opened, bed.Open(pair.Reader, bed.Seal(pair.Writer, [1]))[0].Status);
        pair.Writer->Sequence = pair.Reader->Sequence = ulong.MaxValue - 1;
        byte[] last = bed.Seal(pair.Writer, [2]);
        OpenResult[] results = bed.Open(pair.Reader, last, last);
        Assert.Equal(TlsOpenStatus.Opened, results[0].Status);
        Assert.Equal(TlsOpenStatus.KeyExhausted, results[1].Status);
    }

    [Fact]
    public void The_writer_refuses_what_is_no_record()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        using var burst = new AeadBurst(1);
        using var content = new NativeBuffer(TlsRecordSizes.MaxContent + 2);
        using var wire = new NativeBuffer(TlsRecordSizes.MaxRecord);
        Assert.Equal(TlsRecordStatus.InvalidLength, Add(TlsContentType.ApplicationData, TlsRecordSizes.MaxContent + 1, wire.Length));
        Assert.Equal(TlsRecordStatus.InvalidLength, Add(TlsContentType.ApplicationData, -1, wire.Length));
        Assert.Equal(TlsRecordStatus.InvalidLength, Add(TlsContentType.Handshake, 0, wire.Length));
        Assert.Equal(TlsRecordStatus.InvalidLength, Add(TlsContentType.Alert, 0, wire.Length));
        Assert.Equal(TlsRecordStatus.DestinationTooSmall, Add(TlsContentType.ApplicationData, 100, 100 + TlsRecordSizes.Overhead - 1));
        Assert.Equal(TlsRecordStatus.DestinationTooSmall, TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, false, wire.Pointer, 26, out _));
        Assert.Equal(TlsRecordStatus.DestinationTooSmall, TlsRecordWriter.TryAddAlert(burst, pair.Writer, TlsAlert.CloseNotify, wire.Pointer, 23, out _));
        Assert.Equal(TlsRecordStatus.Added, Add(TlsContentType.ApplicationData, TlsRecordSizes.MaxContent, wire.Length));
        Assert.Equal(TlsRecordStatus.BurstFull, Add(TlsContentType.ApplicationData, 1, wire.Length));
        Assert.Equal(1ul, pair.Writer->Sequence);

        TlsRecordStatus Add(TlsContentType type, int length, int capacity) =>
            TlsRecordWriter.TryAdd(burst, pair.Writer, type, content.Pointer, length, wire.Pointer, capacity, out _);
    }

    [Fact]
    public void A_second_KeyUpdate_waits_for_the_first()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        using var burst = new AeadBurst(4);
        using var wire = new NativeBuffer(64);
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, false, wire.Pointer, 32, out _));
        Assert.Equal(TlsRecordStatus.KeyUpdateInProgress, TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, false, wire.Pointer + 32, 32, out _));
        burst.Run(bed.Engine);
        TlsRecordWriter.CompleteKeyUpdate(pair.Writer, bed.Engine);
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, false, wire.Pointer + 32, 32, out _));
        burst.Run(bed.Engine, 1);
        TlsRecordWriter.CompleteKeyUpdate(pair.Writer, bed.Engine);
        OpenResult[] results = bed.Open(pair.Reader, wire.Span[..27].ToArray(), wire.Span[32..59].ToArray());
        Assert.All(results, result => Assert.Equal(TlsOpenStatus.Handled, result.Status));
    }

    [Fact]
    public void A_reader_or_burst_that_is_full_takes_no_sequence_number()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        using var record = new NativeBuffer(bed.Seal(pair.Writer, [1]));
        using var text = new NativeBuffer(16);
        using var small = new AeadBurst(1);
        using var large = new AeadBurst(4);
        using var reader = new TlsRecordReader(2);
        Assert.True(reader.TryAdd(small, pair.Reader, record.Pointer, record.Length, text.Pointer, 0));
        Assert.False(reader.TryAdd(small, pair.Reader, record.Pointer, record.Length, text.Pointer, 0));
        Assert.True(reader.TryAdd(large, pair.Reader, record.Pointer, record.Length, text.Pointer, 0));
        Assert.False(reader.TryAdd(large, pair.Reader, record.Pointer, record.Length, text.Pointer, 0));
        Assert.Equal(2ul, pair.Reader->Sequence);
        Assert.Equal(2, reader.Count);
    }

    [Fact]
    public void A_released_state_holds_nothing()
    {
        using var bed = new RecordTestBed();
        TlsTrafficState* state = bed.NewPair().Writer;
        state->Release(bed.Engine);
        Assert.Equal(-1, new ReadOnlySpan<byte>(state, TlsTrafficState.SizeInBytes).IndexOfAnyExcept((byte)0));
        state->Release(bed.Engine);
        Assert.Equal(TlsCipherSuite.None, state->Suite);
    }

    private static TlsRecordStatus TryAdd(TlsTrafficState* state, TlsContentType type)
    {
        using var burst = new AeadBurst(1);
        using var content = new NativeBuffer(8);
        using var wire = new NativeBuffer(64);
        return TlsRecordWriter.TryAdd(burst, state, type, content.Pointer, 2, wire.Pointer, wire.Length, out _);
    }
}
