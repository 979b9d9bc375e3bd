using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Fragmentation;
using CryptoPlane.Ike.Session;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Crypto;

/// <summary>The key schedule of RFC 9370 and the authentication of RFC 9242 against the RFCs' formulas, written down a second time with the framework's HMAC.</summary>
public class AdditionalKeyScheduleTests
{
    private const ulong InitiatorSpi = 0x0102030405060708, ResponderSpi = 0x1112131415161718;

    private static readonly IkeSuite s_suite = new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519);
    private static readonly byte[] s_ni = Bytes(32, 1), s_nr = Bytes(40, 2), s_first = Bytes(32, 3), s_second = Bytes(32, 4), s_third = Bytes(48, 5);

    [Fact]
    public void Each_further_secret_makes_all_keys_anew()
    {
        using SecretBytes first = new(s_first), second = new(s_second), third = new(s_third);
        using IkeKeys zero = IkeKeys.Derive(s_suite, first, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        using IkeKeys one = zero.Advance(second, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        using IkeKeys two = one.Advance(third, s_ni, s_nr, InitiatorSpi, ResponderSpi);

        // RFC 7296 §2.14, then twice SKEYSEED(n) = prf(SK_d(n-1), SK(n) | Ni | Nr) of RFC 9370 §2.2.2.
        byte[][] expected = Cut(Hmac([.. s_ni, .. s_nr], s_first));
        AssertKeys(expected, zero);
        expected = Cut(Hmac(expected[0], [.. s_second, .. s_ni, .. s_nr]));
        AssertKeys(expected, one);
        expected = Cut(Hmac(expected[0], [.. s_third, .. s_ni, .. s_nr]));
        AssertKeys(expected, two);
    }

    [Fact]
    public void A_rekey_takes_the_further_secrets_after_the_nonces()
    {
        using SecretBytes first = new(s_first), second = new(s_second), third = new(s_third);
        using IkeKeys old = IkeKeys.Derive(s_suite, first, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        byte[] skD = old.SkD.ToArray();

        // RFC 9370 §2.2.4: SKEYSEED = prf(SK_d, SK(0) | Ni | Nr | SK(1) | … | SK(n))
        using IkeKeys fresh = old.Rekey(s_suite, first, s_ni, s_nr, InitiatorSpi, ResponderSpi, [second, third]);
        AssertKeys(Cut(Hmac(skD, [.. s_first, .. s_ni, .. s_nr, .. s_second, .. s_third])), fresh);

        // KEYMAT = prf+(SK_d, SK(0) | Ni | Nr | SK(1) | … | SK(n))
        EspSuite suite = new(EspCipher.Aes256Gcm16, true, KeyExchangeMethod.X25519);
        using ChildKeys child = old.DeriveChild(suite, first, s_ni, s_nr, [second, third]);
        byte[] material = Expand(skD, [.. s_first, .. s_ni, .. s_nr, .. s_second, .. s_third], 72);
        Assert.Equal(material[..36], child.InitiatorEncryption);
        Assert.Equal(material[36..], child.ResponderEncryption);
    }

    [Fact]
    public void AUTH_covers_both_sides_chains_and_the_message_ID_of_IKE_AUTH()
    {
        using SecretBytes first = new(s_first), second = new(s_second);
        using IkeKeys zero = IkeKeys.Derive(s_suite, first, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        using IkeKeys one = zero.Advance(second, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        using IntermediatePhase phase = new(new AdditionalKeyExchanges(KeyExchangeMethod.P256, KeyExchangeMethod.P384));
        Assert.Empty(phase.Result());
        byte[][] octets = [Bytes(100, 6), Bytes(90, 7), Bytes(80, 8), Bytes(70, 9)];
        phase.Cover(fromInitiator: true, zero, octets[0]);
        phase.Cover(fromInitiator: false, zero, octets[1]);
        phase.Cover(fromInitiator: true, one, octets[2]);
        phase.Cover(fromInitiator: false, one, octets[3]);

        byte[] ofInitiator = Hmac(one.SkPi.ToArray(), [.. Hmac(zero.SkPi.ToArray(), octets[0]), .. octets[2]]);
        byte[] ofResponder = Hmac(one.SkPr.ToArray(), [.. Hmac(zero.SkPr.ToArray(), octets[1]), .. octets[3]]);
        // Messages 0 (IKE_SA_INIT), 1 and 2 (IKE_INTERMEDIATE), 3.
        byte[] intAuth = [.. ofInitiator, .. ofResponder, 0, 0, 0, 3];
        Assert.Equal(intAuth, phase.Result());
        byte[] id = [2, 0, 0, 0, 120], firstMessage = Bytes(200, 10);
        Assert.Equal([.. firstMessage, .. s_nr, .. Hmac(one.SkPi.ToArray(), id), .. intAuth],
            SignedOctets.Create(s_suite.Prf, firstMessage, s_nr, one.SkPi, id, phase.Result()));
    }

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(400)]
    public void What_is_covered_is_the_message_in_the_clear_whether_it_came_in_fragments_or_not(int longest)
    {
        using AeadEngine engine = AeadEngine.CreateDefault();
        using SecretBytes first = new(s_first);
        using IkeKeys keys = IkeKeys.Derive(s_suite, first, s_ni, s_nr, InitiatorSpi, ResponderSpi);
        using SkProtection ours = new(engine, keys, isInitiator: true), theirs = new(engine, keys, isInitiator: false);
        IkeHeader header = new(InitiatorSpi, ResponderSpi, ExchangeType.IkeIntermediate, IkeHeaderFlags.Initiator, 1);
        byte[] value = Bytes(1184, 11);
        IkeWriter writer = new IkeWriter().Add(new KeyExchangePayload(36, value));

        // The header, with SK as its next payload and the whole length; SK's header, with KE as the next; then KE: 4 + 4 + 1184 bytes.
        byte[] expected =
        [
            1, 2, 3, 4, 5, 6, 7, 8, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 46, 0x20, 43, 8, 0, 0, 0, 1, 0, 0, 4, 200,
            34, 0, 4, 172, 0, 0, 4, 168, 0, 36, 0, 0, .. value,
        ];
        Assert.Equal(expected, IntermediateOctets.Create(header, writer));

        FragmentReassembler reassembler = new(FragmentLimits.Default);
        IReadOnlyList<byte[]> messages = SealedMessages.Seal(ours, header, writer, longest);
        Assert.Equal(longest == 400 ? 4 : 1, messages.Count);
        byte[] last = [];
        // The first fragment comes last.
        foreach (byte[] message in messages.Reverse())
        {
            Assert.Equal(IkeParseError.None, IkeHeader.Parse(message, out IkeHeader read));
            if (SealedMessages.Open(theirs, reassembler, read, message, 0, out PayloadType inner, out byte[] payloads) == OpenStatus.Opened)
                last = IntermediateOctets.OfReceived(read, message, inner, payloads);
        }
        Assert.Equal(expected, last);
    }

    [Fact]
    public void A_message_in_fragments_that_is_longer_than_a_payload_can_be_is_no_failure()
    {
        IkeHeader header = new(InitiatorSpi, ResponderSpi, ExchangeType.IkeIntermediate, IkeHeaderFlags.Initiator, 1);
        byte[] fragment = EncryptedPayload.CreateFragment(header, PayloadType.KeyExchange, 1, 128, 600);
        Assert.Equal(IkeParseError.None, IkeHeader.Parse(fragment, out IkeHeader read));
        byte[] payloads = new byte[FragmentLimits.Default.Bytes];
        Assert.Equal(32 + payloads.Length, IntermediateOctets.OfReceived(read, fragment, PayloadType.KeyExchange, payloads).Length);
    }

    private static void AssertKeys(byte[][] expected, IkeKeys keys)
    {
        Assert.Equal(expected[0], keys.SkD);
        Assert.Equal(expected[1], keys.SkEi);
        Assert.Equal(expected[2], keys.SkEr);
        Assert.Equal(expected[3], keys.SkPi);
        Assert.Equal(expected[4], keys.SkPr);
    }

    /// <summary>SK_d | SK_ei | SK_er | SK_pi | SK_pr of a SKEYSEED: HMAC-SHA-384 gives 48 bytes, AES-256-GCM takes 32 and a salt of 4.</summary>
    private static byte[][] Cut(byte[] skeySeed)
    {
        byte[] spis = new byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(spis, InitiatorSpi);
        BinaryPrimitives.WriteUInt64BigEndian(spis.AsSpan(8), ResponderSpi);
        byte[] all = Expand(skeySeed, [.. s_ni, .. s_nr, .. spis], 48 + 36 + 36 + 48 + 48);
        return [all[..48], all[48..84], all[84..120], all[120..168], all[168..]];
    }

    private static byte[] Expand(byte[] key, byte[] seed, int length)
    {
        byte[] output = [], block = [];
        for (byte n = 1; output.Length < length; n++)
        {
            block = Hmac(key, [.. block, .. seed, n]);
            output = [.. output, .. block];
        }
        return output[..length];
    }

    private static byte[] Hmac(byte[] key, byte[] data) => HMACSHA384.HashData(key, data);

    private static byte[] Bytes(int count, int seed)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
