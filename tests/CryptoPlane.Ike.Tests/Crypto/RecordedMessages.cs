using CryptoPlane.Aead;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Crypto;

/// <summary>Reads the messages of <see cref="StrongSwanRecording"/>.</summary>
internal static class RecordedMessages
{
    /// <summary>The keys of the first IKE SA, from its recorded secret.</summary>
    public static IkeKeys FirstKeys()
    {
        using SecretBytes secret = new(StrongSwanRecording.SharedSecret);
        IkeHeader header = Header(StrongSwanRecording.InitResponse);
        return IkeKeys.Derive(new IkeSuite(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384), secret,
            Plain(StrongSwanRecording.InitRequest).Nonce!.Value, Plain(StrongSwanRecording.InitResponse).Nonce!.Value,
            header.InitiatorSpi, header.ResponderSpi);
    }

    public static IkeHeader Header(byte[] message)
    {
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader header));
        return header;
    }

    /// <summary>Payloads in the clear.</summary>
    public static IkePayloads Plain(byte[] message) => Parse(Header(message).NextPayload, message.AsSpan(IkeHeader.Size));

    /// <summary>Payloads within SK.</summary>
    public static IkePayloads Open(IkeKeys keys, byte[] message, bool fromInitiator)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        using SkProtection protection = new(engine, keys, isInitiator: !fromInitiator);
        Assert.Equal(IkeParseError.None, EncryptedPayload.Find(Header(message), message, out EncryptedPayload encrypted));
        Assert.True(protection.TryOpen(message.AsSpan(0, encrypted.BodyOffset), message.AsSpan(encrypted.BodyOffset), out byte[] payloads));
        return Parse(encrypted.FirstInner, payloads);
    }

    private static IkePayloads Parse(PayloadType first, ReadOnlySpan<byte> chain)
    {
        Assert.Equal(IkeParseResult.Ok, IkePayloads.Parse(first, chain, out IkePayloads payloads));
        return payloads;
    }
}
