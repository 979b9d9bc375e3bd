using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Crypto;

/// <summary>The key schedule against what strongSwan derived.</summary>
public class IkeKeysTests
{
    private static readonly IkeSuite s_suite = new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384);
    private static readonly EspSuite s_child = new(EspCipher.Aes128Gcm16, ExtendedSequenceNumbers: false);

    [Fact]
    public void The_first_IKE_SA_has_the_keys_that_strongSwan_logged()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        Assert.Equal(StrongSwanRecording.SkD, keys.SkD);
        Assert.Equal(StrongSwanRecording.SkEi, keys.SkEi);
        Assert.Equal(StrongSwanRecording.SkEr, keys.SkEr);
        Assert.Equal(StrongSwanRecording.SkPi, keys.SkPi);
        Assert.Equal(StrongSwanRecording.SkPr, keys.SkPr);
    }

    [Fact]
    public void The_first_child_SA_takes_its_keys_from_the_nonces_of_IKE_SA_INIT()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        IkePayloads request = RecordedMessages.Plain(StrongSwanRecording.InitRequest), response = RecordedMessages.Plain(StrongSwanRecording.InitResponse);

        using ChildKeys child = keys.DeriveChild(s_child, null, request.Nonce!.Value, response.Nonce!.Value);

        Assert.Equal(StrongSwanRecording.FirstChildInitiatorKey, child.InitiatorEncryption);
        Assert.Equal(StrongSwanRecording.FirstChildResponderKey, child.ResponderEncryption);
        Assert.Equal(0, child.InitiatorIntegrity.Length + child.ResponderIntegrity.Length);
    }

    [Fact]
    public void A_rekeyed_child_SA_with_forward_secrecy_takes_its_keys_from_the_secret_too()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        IkePayloads request = RecordedMessages.Open(keys, StrongSwanRecording.ChildRequest, fromInitiator: true);
        IkePayloads response = RecordedMessages.Open(keys, StrongSwanRecording.ChildResponse, fromInitiator: false);
        using SecretBytes secret = new(StrongSwanRecording.ChildSharedSecret);

        using ChildKeys child = keys.DeriveChild(s_child with { KeyExchange = KeyExchangeMethod.X25519 }, secret, request.Nonce!.Value, response.Nonce!.Value);

        Assert.Equal(StrongSwanRecording.SecondChildInitiatorKey, child.InitiatorEncryption);
        Assert.Equal(StrongSwanRecording.SecondChildResponderKey, child.ResponderEncryption);
    }

    [Fact]
    public void A_rekeyed_IKE_SA_has_the_keys_that_strongSwan_logged()
    {
        using IkeKeys keys = RecordedMessages.FirstKeys();
        // The responder of the first IKE SA began: it is the initiator of the second.
        IkePayloads request = RecordedMessages.Open(keys, StrongSwanRecording.RekeyRequest, fromInitiator: false);
        IkePayloads response = RecordedMessages.Open(keys, StrongSwanRecording.RekeyResponse, fromInitiator: true);
        using SecretBytes secret = new(StrongSwanRecording.RekeySharedSecret);

        using IkeKeys next = keys.Rekey(s_suite, secret, request.Nonce!.Value, response.Nonce!.Value,
            request.SecurityAssociation!.Proposals[0].SpiValue, response.SecurityAssociation!.Proposals[0].SpiValue);

        Assert.Equal(StrongSwanRecording.SecondSkD, next.SkD);
        Assert.Equal(StrongSwanRecording.SecondSkEi, next.SkEi);
        Assert.Equal(StrongSwanRecording.SecondSkEr, next.SkEr);
        Assert.Equal(StrongSwanRecording.SecondSkPi, next.SkPi);
        Assert.Equal(StrongSwanRecording.SecondSkPr, next.SkPr);
    }

    [Theory]
    [InlineData(EspCipher.Aes128Gcm16, 20, 0)]
    [InlineData(EspCipher.Aes256Gcm16, 36, 0)]
    [InlineData(EspCipher.ChaCha20Poly1305, 36, 0)]
    [InlineData(EspCipher.Aes128CbcHmacSha256, 16, 32)]
    [InlineData(EspCipher.Aes256CbcHmacSha256, 32, 32)]
    public void Keying_material_is_cut_by_direction_then_encryption_then_integrity(EspCipher cipher, int encryption, int integrity)
    {
        // RFC 7296 §2.17: all of the initiator's direction first; within it the encryption key first.
        using IkeKeys keys = RecordedMessages.FirstKeys();
        byte[] ni = [1, 2], nr = [3], material = new byte[2 * (encryption + integrity)];
        Prf.Expand(PrfAlgorithm.HmacSha384, keys.SkD, [1, 2, 3], material);

        using ChildKeys child = keys.DeriveChild(new EspSuite(cipher), null, ni, nr);

        Assert.Equal(encryption, child.InitiatorEncryption.Length);
        Assert.Equal(integrity, child.ResponderIntegrity.Length);
        byte[] parts = [.. child.InitiatorEncryption, .. child.InitiatorIntegrity, .. child.ResponderEncryption, .. child.ResponderIntegrity];
        Assert.Equal(material, parts);
    }

    [Fact]
    public void Disposed_keys_are_gone()
    {
        IkeKeys keys = RecordedMessages.FirstKeys();
        ChildKeys child = keys.DeriveChild(s_child, null, [1], [2]);
        child.Dispose();
        keys.Dispose();
        keys.Dispose();
        Assert.Throws<ObjectDisposedException>(() => keys.SkD.Length);
        Assert.Throws<ObjectDisposedException>(() => child.InitiatorEncryption.Length);
    }
}
