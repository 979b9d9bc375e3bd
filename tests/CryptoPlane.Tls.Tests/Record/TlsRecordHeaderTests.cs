using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls.Tests.Record;

public sealed class TlsRecordHeaderTests
{
    [Theory]
    [InlineData(new byte[] { }, false, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 22 }, false, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 22, 3, 1, 0 }, false, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 22, 3, 1, 0, 1 }, false, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 22, 3, 1, 0, 1, 9 }, false, TlsRecordHeaderStatus.Complete)]
    [InlineData(new byte[] { 22, 0, 0, 0, 1, 9 }, false, TlsRecordHeaderStatus.Complete)] // RFC 8446 §5.1: the version is ignored
    [InlineData(new byte[] { 22, 3, 1, 0, 1, 9, 9 }, false, TlsRecordHeaderStatus.Complete)]
    [InlineData(new byte[] { 22, 3, 3, 0, 0 }, false, TlsRecordHeaderStatus.UnexpectedMessage)]
    [InlineData(new byte[] { 21, 3, 3, 0, 0 }, false, TlsRecordHeaderStatus.UnexpectedMessage)]
    [InlineData(new byte[] { 23, 3, 3, 0, 0 }, true, TlsRecordHeaderStatus.DecodeError)]
    [InlineData(new byte[] { 22, 3, 3, 0x40, 1 }, false, TlsRecordHeaderStatus.RecordOverflow)]
    [InlineData(new byte[] { 22, 3, 3, 0x40, 0 }, false, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 23, 3, 3, 0x41, 1 }, true, TlsRecordHeaderStatus.RecordOverflow)]
    [InlineData(new byte[] { 23, 3, 3, 0x41, 0 }, true, TlsRecordHeaderStatus.NeedMoreData)]
    [InlineData(new byte[] { 23, 3, 3, 255, 255 }, true, TlsRecordHeaderStatus.RecordOverflow)]
    [InlineData(new byte[] { 22 }, true, TlsRecordHeaderStatus.UnexpectedMessage)]
    [InlineData(new byte[] { 21 }, true, TlsRecordHeaderStatus.UnexpectedMessage)]
    [InlineData(new byte[] { 20, 3, 3, 0, 1, 1 }, true, TlsRecordHeaderStatus.Complete)]
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T' }, false, TlsRecordHeaderStatus.UnexpectedMessage)]
    [InlineData(new byte[] { 0x80, 0x2e, 1 }, false, TlsRecordHeaderStatus.UnexpectedMessage)]
    public void Says_what_is_at_the_front(byte[] source, bool isProtected, TlsRecordHeaderStatus expected)
    {
        Assert.Equal(expected, TlsRecordHeader.TryParse(source, isProtected, out TlsRecordHeader header));
        if (expected == TlsRecordHeaderStatus.Complete)
        {
            Assert.Equal((TlsContentType)source[0], header.Type);
            Assert.Equal(1, header.PayloadLength);
            Assert.Equal(6, header.RecordLength);
        }
    }

    [Fact]
    public void Every_header_gets_an_answer()
    {
        byte[] header = new byte[5];
        for (int type = 0; type < 256; type++)
        {
            for (int length = 0; length < 65536; length += 13)
            {
                header[0] = (byte)type;
                header[3] = (byte)(length >> 8);
                header[4] = (byte)length;
                foreach (bool isProtected in (bool[])[false, true])
                {
                    TlsRecordHeaderStatus status = TlsRecordHeader.TryParse(header, isProtected, out TlsRecordHeader parsed);
                    bool allowed = type is 20 or 23 || (!isProtected && type is 21 or 22);
                    Assert.Equal(!allowed || (length == 0 && type != 23), status == TlsRecordHeaderStatus.UnexpectedMessage);
                    Assert.True(parsed.PayloadLength <= TlsRecordSizes.MaxCiphertext);
                    Assert.NotEqual(TlsRecordHeaderStatus.Complete, status);
                }
            }
        }
    }
}
