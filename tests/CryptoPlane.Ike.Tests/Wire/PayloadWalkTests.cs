using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Wire.WireBytes;

namespace CryptoPlane.Ike.Tests.Wire;

public sealed class PayloadWalkTests
{
    [Fact]
    public void Payloads_are_linked_by_the_type_of_the_next_one()
    {
        PayloadWalk walk = new(PayloadType.VendorId, Hex("28 00 0006 aabb  00 80 0005 cc"));
        Assert.True(walk.TryRead(out PayloadView first));
        Assert.Equal((PayloadType.VendorId, PayloadType.Nonce, false, 0), (first.Type, first.NextPayload, first.IsCritical, first.Offset));
        Assert.Equal([0xAA, 0xBB], first.Body.ToArray());
        Assert.True(walk.TryRead(out PayloadView second));
        Assert.Equal((PayloadType.Nonce, PayloadType.None, true, 6), (second.Type, second.NextPayload, second.IsCritical, second.Offset));
        Assert.False(walk.TryRead(out _));
        Assert.Equal(IkeParseError.None, walk.Error);
    }

    [Theory]
    [InlineData(40, "00 00 0003", IkeParseError.BadPayloadLength)]
    [InlineData(40, "00 00 0005", IkeParseError.BadPayloadLength)]
    [InlineData(40, "00 00 00", IkeParseError.Truncated)]
    [InlineData(40, "", IkeParseError.Truncated)]
    [InlineData(40, "00 00 0004 00", IkeParseError.TrailingBytes)]
    [InlineData(0, "00", IkeParseError.TrailingBytes)]
    [InlineData(46, "21 00 0005 aa bb", IkeParseError.TrailingBytes)]
    public void A_chain_that_does_not_fit_its_bytes_has_a_name(byte first, string chain, object error)
    {
        PayloadWalk walk = new((PayloadType)first, Hex(chain));
        while (walk.TryRead(out _))
            continue;
        Assert.Equal((IkeParseError)error, walk.Error);
    }

    [Fact]
    public void No_message_has_more_payloads_than_the_bound()
    {
        byte[] chain = new byte[4 * (PayloadWalk.MaximumPayloads + 1)];
        for (int at = 0; at < chain.Length; at += 4)
            (chain[at], chain[at + 3]) = ((byte)PayloadType.VendorId, 4);
        chain[^4] = 0;
        Assert.Equal(IkeParseError.TooManyPayloads, IkePayloads.Parse(PayloadType.VendorId, chain, out _).Error);
        chain[^8] = 0;
        Assert.True(IkePayloads.Parse(PayloadType.VendorId, chain[..^4], out IkePayloads payloads).IsOk);
        Assert.Equal(PayloadWalk.MaximumPayloads, payloads.VendorIds.Count);
    }

    [Fact]
    public void An_unknown_payload_is_skipped_unless_it_is_critical()
    {
        byte[] chain = Hex("28 00 0006 aabb  00 00 0014 000102030405060708090a0b0c0d0e0f");
        Assert.True(IkePayloads.Parse((PayloadType)200, chain, out IkePayloads payloads).IsOk);
        Assert.Equal(16, payloads.Nonce!.Value.Length);
        chain[1] = 0x80;
        IkeParseResult result = IkePayloads.Parse((PayloadType)200, chain, out payloads);
        Assert.Equal(new IkeParseResult(IkeParseError.UnsupportedCriticalPayload, (PayloadType)200), result);
        Assert.Null(payloads.Nonce);
        // RFC 7296 §2.5: the notification's data is the type of the payload, one byte.
        Assert.Equal(Hex("00 00 0001 c8"), BodyOf(result.ToNotify()!));
        // The bit of a payload that every implementation knows is ignored.
        (chain[1], chain[7]) = (0, 0x80);
        Assert.True(IkePayloads.Parse((PayloadType)200, chain, out _).IsOk);
    }

    [Fact]
    public void What_may_be_there_once_may_not_be_there_twice()
    {
        IkeWriter writer = new();
        NoncePayload nonce = new(new byte[16]);
        writer.Add(nonce).Add(nonce);
        Assert.Equal(
            new IkeParseResult(IkeParseError.DuplicatePayload, PayloadType.Nonce),
            IkePayloads.Parse(writer.FirstPayload, writer.Written, out _));
        Assert.Equal(NotifyType.InvalidSyntax, IkeParseError.DuplicatePayload.ToNotify());
    }

    [Fact]
    public void An_encrypted_payload_is_not_looked_for_within_one()
    {
        Assert.Equal(IkeParseError.UnexpectedEncryptedPayload, IkePayloads.Parse(PayloadType.Encrypted, Hex("21 00 0005 aa"), out _).Error);
    }
}
