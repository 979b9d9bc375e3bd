using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Wire.WireBytes;

namespace CryptoPlane.Ike.Tests.Wire;

public sealed class IkeHeaderTests
{
    private static readonly byte[] s_request = Hex("0102030405060708 1112131415161718 2a 20 23 08 00000007 0000001c");

    [Fact]
    public void Its_fields_are_where_RFC_7296_3_1_puts_them()
    {
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(s_request, out IkeHeader header));
        Assert.Equal(
            new IkeHeader(0x0102030405060708, 0x1112131415161718, ExchangeType.IkeAuth, IkeHeaderFlags.Initiator, 7)
            { NextPayload = PayloadType.Notify + 1 },
            header);
        Assert.True(header.FromInitiator);
        Assert.False(header.IsResponse);
        byte[] written = new byte[IkeHeader.Size];
        header.Write(written, written.Length);
        Assert.Equal(s_request, written);
    }

    [Fact]
    public void Minor_version_and_reserved_flags_are_ignored()
    {
        byte[] message = [.. s_request];
        message[17] = 0x2F;
        message[19] = 0xFF;
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        Assert.True(header.IsResponse);
    }

    [Fact]
    public void A_higher_major_version_has_a_name_of_its_own_and_an_answer()
    {
        byte[] message = [.. s_request];
        message[17] = 0x30;
        Assert.Equal(IkeParseError.UnsupportedMajorVersion, IkeHeader.Parse(message, out IkeHeader header));
        Assert.Equal(7u, header.MessageId);
        Assert.Equal(NotifyType.InvalidMajorVersion, IkeParseError.UnsupportedMajorVersion.ToNotify());
        message[17] = 0x10;
        Assert.Equal(IkeParseError.ObsoleteMajorVersion, IkeHeader.Parse(message, out _));
        Assert.Null(IkeParseError.ObsoleteMajorVersion.ToNotify());
    }

    [Theory]
    [InlineData(27u)]
    [InlineData(29u)]
    [InlineData(0u)]
    [InlineData(uint.MaxValue)]
    public void The_length_is_the_datagrams(uint length)
    {
        byte[] message = [.. s_request];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(24), length);
        Assert.Equal(IkeParseError.BadMessageLength, IkeHeader.Parse(message, out _));
    }

    [Fact]
    public void Every_truncation_is_an_error()
    {
        for (int length = 0; length < s_request.Length; length++)
            Assert.Equal(IkeParseError.Truncated, IkeHeader.Parse(s_request.AsSpan(0, length), out _));
    }
}
