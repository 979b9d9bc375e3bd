using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

/// <summary>Forged, damaged, replayed, reordered and malformed records: the right alert, and no plaintext.</summary>
public sealed class BadRecordTests
{
    [Fact]
    public unsafe void A_record_that_is_wrong_in_any_bit_is_refused()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] good = bed.Seal(pair.Writer, "attack at dawn"u8);
        TlsTrafficState before = *pair.Reader;
        for (int bit = 0; bit < good.Length * 8; bit++)
        {
            byte[] bad = [.. good];
            bad[bit / 8] ^= (byte)(1 << (bit % 8));
            OpenResult result = bed.Open(pair.Reader, bad)[0];
            // The type and the length are looked at before the tag is.
            TlsOpenStatus expected = bit / 8 == 0 ? TlsOpenStatus.UnexpectedMessage : bit / 8 is 3 or 4 ? TlsOpenStatus.DecodeError : TlsOpenStatus.BadRecordMac;
            AssertRefused(result, expected);
            Assert.True(pair.Reader->IsClosed);
            *pair.Reader = before;
        }
        Assert.Equal(TlsOpenStatus.Opened, bed.Open(pair.Reader, good)[0].Status);
    }

    [Fact]
    public unsafe void A_record_that_is_cut_anywhere_is_refused()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] good = bed.Seal(pair.Writer, "attack at dawn"u8);
        TlsTrafficState before = *pair.Reader;
        for (int length = 0; length < good.Length; length++)
        {
            AssertRefused(bed.Open(pair.Reader, good[..length])[0], TlsOpenStatus.DecodeError);
            *pair.Reader = before;
            if (length < TlsRecordSizes.Header)
                continue;
            // The same with a header that fits.
            byte[] fitting = good[..length];
            fitting[3] = 0;
            fitting[4] = (byte)(length - TlsRecordSizes.Header);
            AssertRefused(bed.Open(pair.Reader, fitting)[0], TlsOpenStatus.BadRecordMac);
            *pair.Reader = before;
        }
    }

    [Fact]
    public unsafe void What_is_behind_a_bad_record_gives_no_plaintext_and_other_connections_go_on()
    {
        using var bed = new RecordTestBed();
        RecordPair bad = bed.NewPair(seed: 1), good = bed.NewPair(seed: 2);
        var records = new List<(nint, byte[])>();
        for (int i = 0; i < 8; i++)
        {
            records.Add(((nint)bad.Reader, bed.Seal(bad.Writer, [(byte)i, 200])));
            records.Add(((nint)good.Reader, bed.Seal(good.Writer, [(byte)i, 100])));
        }
        records[6].Item2[9] ^= 1;
        OpenResult[] results = bed.Open(records);
        for (int i = 0; i < 8; i++)
        {
            Assert.Equal([(byte)i, 100], results[(2 * i) + 1].Content);
            if (i < 3)
                Assert.Equal([(byte)i, 200], results[2 * i].Content);
            else
                AssertRefused(results[2 * i], i == 3 ? TlsOpenStatus.BadRecordMac : TlsOpenStatus.Ended);
        }
        // Also in later bursts.
        AssertRefused(bed.Open(bad.Reader, bed.Seal(bad.Writer, [1]))[0], TlsOpenStatus.Ended);
    }

    [Fact]
    public unsafe void Replayed_late_and_reordered_records_are_refused()
    {
        using var bed = new RecordTestBed();
        RecordPair replayed = bed.NewPair(), reordered = bed.NewPair(), skipped = bed.NewPair(), late = bed.NewPair();
        byte[] once = bed.Seal(replayed.Writer, [1]);
        OpenResult[] results = bed.Open(replayed.Reader, once, once);
        Assert.Equal(TlsOpenStatus.Opened, results[0].Status);
        AssertRefused(results[1], TlsOpenStatus.BadRecordMac);

        byte[] first = bed.Seal(reordered.Writer, [1]), second = bed.Seal(reordered.Writer, [2]);
        results = bed.Open(reordered.Reader, second, first);
        AssertRefused(results[0], TlsOpenStatus.BadRecordMac);
        AssertRefused(results[1], TlsOpenStatus.Ended);

        bed.Seal(skipped.Writer, [1]);
        AssertRefused(bed.Open(skipped.Reader, bed.Seal(skipped.Writer, [2]))[0], TlsOpenStatus.BadRecordMac);

        // A record of the old key behind the KeyUpdate, as an attacker could hold it back.
        byte[] heldBack = bed.Seal(late.Writer, [1]);
        late.Reader->Sequence++;
        results = bed.Open(late.Reader, bed.SealKeyUpdate(late.Writer), heldBack);
        Assert.Equal(TlsOpenStatus.Handled, results[0].Status);
        AssertRefused(results[1], TlsOpenStatus.BadRecordMac);
    }

    [Fact]
    public unsafe void A_bad_header_ends_the_connection_in_its_turn_behind_a_KeyUpdate()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] alien = [21, 3, 3, 0, 2, 2, 40];
        OpenResult[] results = bed.Open(pair.Reader, bed.SealKeyUpdate(pair.Writer), bed.Seal(pair.Writer, [1]), alien, bed.Seal(pair.Writer, [2]));
        Assert.Equal(TlsOpenStatus.Handled, results[0].Status);
        Assert.Equal([1], results[1].Content);
        AssertRefused(results[2], TlsOpenStatus.UnexpectedMessage);
        AssertRefused(results[3], TlsOpenStatus.Ended);
    }

    [Fact]
    public unsafe void Padding_is_taken_off_whatever_its_length()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        foreach (int padding in (int[])[0, 1, 2, 7, 8, 31, 63, 64, 255, 1000, 16000])
        {
            foreach (byte[] content in (byte[][])[[], [1], [0], [9, 0, 0], [0, 0, 0, 0]])
            {
                OpenResult result = bed.Open(pair.Reader, bed.SealInner(pair.Writer, [.. content, 23, .. new byte[padding]]))[0];
                Assert.Equal(TlsOpenStatus.Opened, result.Status);
                Assert.Equal(content, result.Content);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(100)]
    [InlineData(TlsRecordSizes.MaxInnerPlaintext)]
    public unsafe void A_record_of_padding_only_is_refused(int length)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        AssertRefused(bed.Open(pair.Reader, bed.SealInner(pair.Writer, new byte[length]))[0], TlsOpenStatus.UnexpectedMessage);
    }

    [Fact]
    public unsafe void Content_and_padding_have_their_limit()
    {
        using var bed = new RecordTestBed();
        RecordPair longest = bed.NewPair(), padded = bed.NewPair(), tooLong = bed.NewPair();
        byte[] full = new byte[TlsRecordSizes.MaxInnerPlaintext];
        full[^1] = 23;
        Assert.Equal(TlsRecordSizes.MaxContent, bed.Open(longest.Reader, bed.SealInner(longest.Writer, full))[0].Content.Length);
        byte[] fullPadded = new byte[TlsRecordSizes.MaxInnerPlaintext];
        fullPadded[5] = 23;
        Assert.Equal(5, bed.Open(padded.Reader, bed.SealInner(padded.Writer, fullPadded))[0].Content.Length);
        byte[] overflow = new byte[TlsRecordSizes.MaxInnerPlaintext + 1];
        overflow[5] = 23;
        AssertRefused(bed.Open(tooLong.Reader, bed.SealInner(tooLong.Writer, overflow))[0], TlsOpenStatus.RecordOverflow);
    }

    [Theory]
    [InlineData(20)]
    [InlineData(24)]
    [InlineData(255)]
    [InlineData(1)]
    public unsafe void An_inner_type_that_does_not_exist_is_refused(byte type)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        AssertRefused(bed.Open(pair.Reader, bed.SealInner(pair.Writer, [1, type]))[0], TlsOpenStatus.UnexpectedMessage);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public unsafe void Empty_handshake_and_alert_records_are_refused(byte type)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(), padded = bed.NewPair();
        AssertRefused(bed.Open(pair.Reader, bed.SealInner(pair.Writer, [type]))[0], TlsOpenStatus.UnexpectedMessage);
        AssertRefused(bed.Open(padded.Reader, bed.SealInner(padded.Writer, [type, 0, 0, 0]))[0], TlsOpenStatus.UnexpectedMessage);
    }

    [Fact]
    public unsafe void Handshake_keys_protect_no_application_data()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(use: TlsTrafficUse.ReadHandshake);
        OpenResult[] results = bed.Open(pair.Reader, bed.Seal(pair.Writer, [24, 0, 0, 1], TlsContentType.Handshake), bed.Seal(pair.Writer, [1]));
        Assert.Equal(TlsContentType.Handshake, results[0].Type);
        Assert.Equal([24, 0, 0, 1], results[0].Content);
        AssertRefused(results[1], TlsOpenStatus.UnexpectedMessage);
    }

    private static void AssertRefused(OpenResult result, TlsOpenStatus expected)
    {
        Assert.Equal(expected, result.Status);
        Assert.Empty(result.Content);
        Assert.Equal(TlsContentType.None, result.Type);
        Assert.All(result.Destination, b => Assert.Equal(0, b));
        if (expected != TlsOpenStatus.Ended)
            Assert.NotEqual(TlsAlert.CloseNotify, result.Alert);
    }
}
