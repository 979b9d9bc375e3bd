using CryptoPlane.Aead;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

public sealed unsafe class AlertTests
{
    [Fact]
    public void Close_notify_ends_the_direction_in_order()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] last = bed.Seal(pair.Writer, [1]), close = SealAlert(bed, pair.Writer, TlsAlert.CloseNotify);
        Assert.True(pair.Writer->IsClosed);
        OpenResult[] results = bed.Open(pair.Reader, last, close, close);
        Assert.Equal([1], results[0].Content);
        Assert.Equal(TlsOpenStatus.CloseNotify, results[1].Status);
        Assert.Equal(TlsOpenStatus.Ended, results[2].Status);
        Assert.True(pair.Reader->IsClosed);
        Assert.True(pair.Reader->IsCloseNotifyReceived);
    }

    [Fact]
    public void Nothing_is_sealed_behind_close_notify()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        SealAlert(bed, pair.Writer, TlsAlert.CloseNotify);
        using var burst = new AeadBurst(4);
        using var wire = new NativeBuffer(64);
        using var content = new NativeBuffer(64);
        Assert.Equal(TlsRecordStatus.Closed, TlsRecordWriter.TryAdd(burst, pair.Writer, TlsContentType.ApplicationData, content.Pointer, 1, wire.Pointer, 64, out int length));
        Assert.Equal(0, length);
        Assert.Equal(TlsRecordStatus.Closed, TlsRecordWriter.PrepareKeyUpdate(burst, pair.Writer, false, wire.Pointer, 64, out _));
        Assert.Equal(TlsRecordStatus.Closed, TlsRecordWriter.TryAddAlert(burst, pair.Writer, TlsAlert.CloseNotify, wire.Pointer, 64, out _));
        Assert.Equal(0, burst.Count);
    }

    [Theory]
    [InlineData(TlsAlert.InternalError)]
    [InlineData(TlsAlert.DecryptError)]
    [InlineData((TlsAlert)200)]
    public void A_fatal_alert_ends_the_connection_whatever_its_level(TlsAlert alert)
    {
        using var bed = new RecordTestBed();
        foreach (byte level in (byte[])[1, 2, 77])
        {
            RecordPair pair = bed.NewPair();
            OpenResult[] results = bed.Open(pair.Reader, bed.Seal(pair.Writer, [level, (byte)alert], TlsContentType.Alert), bed.Seal(pair.Writer, [1]));
            Assert.Equal(TlsOpenStatus.PeerAlert, results[0].Status);
            Assert.Equal(alert, results[0].Alert);
            Assert.Equal(TlsOpenStatus.Ended, results[1].Status);
            Assert.False(pair.Reader->IsCloseNotifyReceived);
        }
    }

    [Fact]
    public void A_user_canceled_is_passed_over_but_not_a_flood_of_them()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        for (int i = 0; i < TlsRecordReader.MaxKeyUpdates; i++)
            Assert.Equal(TlsOpenStatus.Handled, bed.Open(pair.Reader, SealAlert(bed, pair.Writer, TlsAlert.UserCanceled))[0].Status);
        Assert.Equal(TlsOpenStatus.UnexpectedMessage, bed.Open(pair.Reader, SealAlert(bed, pair.Writer, TlsAlert.UserCanceled))[0].Status);
    }

    [Theory]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 2, 40, 0 })]
    [InlineData(new byte[] { 1, 0, 1, 0 })]
    public void An_alert_of_the_wrong_length_is_refused(byte[] content)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        Assert.Equal(TlsOpenStatus.DecodeError, bed.Open(pair.Reader, bed.Seal(pair.Writer, content, TlsContentType.Alert))[0].Status);
    }

    private static byte[] SealAlert(RecordTestBed bed, TlsTrafficState* state, TlsAlert alert)
    {
        using var burst = new AeadBurst(1);
        using var wire = new NativeBuffer(2 + TlsRecordSizes.Overhead, GuardPage.Behind);
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAddAlert(burst, state, alert, wire.Pointer, wire.Length, out int length));
        Assert.Equal(wire.Length, length);
        burst.Run(bed.Engine);
        return wire.Span.ToArray();
    }
}
