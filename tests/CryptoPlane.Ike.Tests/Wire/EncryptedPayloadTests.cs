using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Wire.WireBytes;

namespace CryptoPlane.Ike.Tests.Wire;

public sealed class EncryptedPayloadTests
{
    private static readonly IkeHeader s_header = new(1, 2, ExchangeType.IkeAuth, IkeHeaderFlags.Initiator, 1);

    [Fact]
    public void Everything_before_the_body_of_an_sk_payload_is_associated_data()
    {
        byte[] message = EncryptedPayload.CreateMessage(s_header, PayloadType.IdentificationInitiator, 25);
        Assert.Equal(
            Hex("0000000000000001 0000000000000002 2e 20 23 08 00000001 00000039  23 00 001d"), message[..EncryptedPayload.SkBodyOffset]);
        Assert.Equal(new EncryptedPayload(PayloadType.IdentificationInitiator, 32, 0, 0), Find(message));
        Assert.False(Find(message).IsFragment);
    }

    [Fact]
    public void The_numbers_of_a_fragment_are_associated_data_and_only_the_first_names_the_payload()
    {
        byte[] first = EncryptedPayload.CreateFragment(s_header, PayloadType.IdentificationInitiator, 1, 3, 25);
        Assert.Equal(
            Hex("0000000000000001 0000000000000002 35 20 23 08 00000001 0000003d  23 00 0021 0001 0003"),
            first[..EncryptedPayload.SkfBodyOffset]);
        Assert.Equal(new EncryptedPayload(PayloadType.IdentificationInitiator, 36, 1, 3), Find(first));
        byte[] second = EncryptedPayload.CreateFragment(s_header, PayloadType.IdentificationInitiator, 2, 3, 25);
        Assert.Equal(new EncryptedPayload(PayloadType.None, 36, 2, 3), Find(second));
    }

    [Fact]
    public void Payloads_before_the_encrypted_one_are_associated_data_too()
    {
        byte[] message = [.. Hex("0000000000000001 0000000000000002 2b 20 23 08 00000001 00000027  2e 00 0006 aabb  23 00 0005 cc")];
        Assert.Equal(new EncryptedPayload(PayloadType.IdentificationInitiator, 38, 0, 0), Find(message));
    }

    [Theory]
    [InlineData("2e", "00 00 0004", IkeParseError.BadEncryptedPayload)] // no body
    [InlineData("35", "00 00 0008 0001 0001", IkeParseError.BadEncryptedPayload)]
    [InlineData("35", "00 00 0009 0000 0001 aa", IkeParseError.BadFragment)]
    [InlineData("35", "00 00 0009 0002 0001 aa", IkeParseError.BadFragment)]
    [InlineData("35", "00 00 0007 0001 00", IkeParseError.BadFragment)]
    [InlineData("28", "00 00 0005 00", IkeParseError.BadEncryptedPayload)] // none at all
    [InlineData("00", "", IkeParseError.BadEncryptedPayload)]
    public void What_is_no_encrypted_payload_has_a_name(string type, string payloads, object error)
    {
        byte[] chain = Hex(payloads);
        byte[] start = Hex($"0000000000000001 0000000000000002 {type} 20 23 08 00000001");
        byte[] message = [.. start, 0, 0, 0, (byte)(IkeHeader.Size + chain.Length), .. chain];
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        Assert.Equal((IkeParseError)error, EncryptedPayload.Find(header, message, out _));
    }

    private static EncryptedPayload Find(byte[] message)
    {
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        Assert.Equal(IkeParseError.None, EncryptedPayload.Find(header, message, out EncryptedPayload payload));
        return payload;
    }
}
