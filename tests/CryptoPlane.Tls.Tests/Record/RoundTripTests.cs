using CryptoPlane.Aead;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.KeySchedule;

namespace CryptoPlane.Tls.Tests.Record;

public sealed unsafe class RoundTripTests
{
    public static TheoryData<TlsCipherSuite> Suites =>
        [TlsCipherSuite.Aes128GcmSha256, TlsCipherSuite.Aes256GcmSha384, TlsCipherSuite.ChaCha20Poly1305Sha256];

    [Fact]
    public void The_records_are_those_of_RFC_8448()
    {
        using var bed = new RecordTestBed();
        TlsTrafficState* client = bed.NewState(TlsCipherSuite.Aes128GcmSha256, Rfc8448Trace.ClientApplicationTraffic, TlsTrafficUse.Write);
        Assert.Equal(Rfc8448Trace.ClientApplicationRecord, bed.Seal(client, Rfc8448Trace.ApplicationData));
        Assert.Equal(Rfc8448Trace.ClientCloseRecord, bed.Seal(client, [1, 0], TlsContentType.Alert));

        TlsTrafficState* fromServer = bed.NewState(TlsCipherSuite.Aes128GcmSha256, Rfc8448Trace.ServerApplicationTraffic, TlsTrafficUse.ReadAsClient);
        fromServer->Sequence = 1;
        OpenResult[] results = bed.Open(fromServer, Rfc8448Trace.ServerApplicationRecord, Rfc8448Trace.ServerCloseRecord);
        Assert.Equal(TlsOpenStatus.Opened, results[0].Status);
        Assert.Equal(TlsContentType.ApplicationData, results[0].Type);
        Assert.Equal(Rfc8448Trace.ApplicationData, results[0].Content);
        Assert.Equal(TlsOpenStatus.CloseNotify, results[1].Status);
        Assert.True(fromServer->IsCloseNotifyReceived);
    }

    [Theory]
    [MemberData(nameof(Suites))]
    public void Every_length_that_matters_comes_back(TlsCipherSuite suite)
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair(suite);
        int[] lengths = [0, 1, 15, 16, 17, 63, 64, 65, 1400, 4096, 16383, 16384];
        byte[][] contents = [.. lengths.Select(length => Enumerable.Range(0, length).Select(i => (byte)(i * 7 + length)).ToArray())];
        byte[][] records = [.. contents.Select(content => bed.Seal(pair.Writer, content))];
        OpenResult[] results = bed.Open(pair.Reader, records);
        for (int i = 0; i < lengths.Length; i++)
        {
            Assert.Equal(TlsOpenStatus.Opened, results[i].Status);
            Assert.Equal(contents[i], results[i].Content);
            Assert.Equal((ulong)i, results[i].UserData);
        }
        Assert.Equal((ulong)lengths.Length, pair.Reader->Records);
        Assert.Equal((ulong)lengths.Sum(), pair.Reader->Bytes);
        Assert.Equal((ulong)lengths.Sum(), pair.Writer->Bytes);
    }

    [Fact]
    public void Content_may_be_sealed_where_it_lies()
    {
        using var bed = new RecordTestBed();
        RecordPair inPlace = bed.NewPair(), outOfPlace = bed.NewPair();
        byte[] content = [.. Enumerable.Range(0, 777).Select(i => (byte)i)];
        using var burst = new AeadBurst(1);
        using var buffer = new CryptoPlane.TestKit.NativeBuffer(content.Length + TlsRecordSizes.Overhead, CryptoPlane.TestKit.GuardPage.Behind);
        content.CopyTo(buffer.Span[TlsRecordSizes.Header..]);
        Assert.Equal(TlsRecordStatus.Added, TlsRecordWriter.TryAdd(burst, inPlace.Writer, TlsContentType.ApplicationData,
            buffer.Pointer + TlsRecordSizes.Header, content.Length, buffer.Pointer, buffer.Length, out int length));
        burst.Run(bed.Engine);
        Assert.Equal(buffer.Length, length);
        Assert.Equal(bed.Seal(outOfPlace.Writer, content), buffer.Span.ToArray());
    }

    [Fact]
    public void A_copied_state_goes_on_where_the_first_stopped()
    {
        using var bed = new RecordTestBed();
        RecordPair pair = bed.NewPair();
        byte[] first = bed.Seal(pair.Writer, [1]);
        TlsTrafficState* moved = bed.NewState(TlsCipherSuite.Aes128GcmSha256, new byte[32], TlsTrafficUse.Write);
        moved->Release(bed.Engine);
        *moved = *pair.Writer;
        *pair.Writer = default;
        OpenResult[] results = bed.Open(pair.Reader, first, bed.Seal(moved, [2]), bed.SealKeyUpdate(moved), bed.Seal(moved, [3]));
        Assert.Equal([1], results[0].Content);
        Assert.Equal([2], results[1].Content);
        Assert.Equal(TlsOpenStatus.Handled, results[2].Status);
        Assert.Equal([3], results[3].Content);
    }
}
