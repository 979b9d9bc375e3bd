using System.Security.Cryptography;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Tests.Crypto;

public class IkeKeyExchangeTests
{
    [Theory]
    [InlineData((ushort)KeyExchangeMethod.X25519, 32, 32)]
    [InlineData((ushort)KeyExchangeMethod.P256, 64, 32)]
    [InlineData((ushort)KeyExchangeMethod.P384, 96, 48)]
    [InlineData((ushort)KeyExchangeMethod.MlKem768, 1184, 32, 1088)]
    public void Both_sides_agree(ushort number, int valueLength, int secretLength, int answerLength = 0)
    {
        var method = (KeyExchangeMethod)number;
        using IkeKeyExchange initiator = new(method);
        using SecretBytes? responders = IkeKeyExchange.Respond(method, initiator.PublicValue.Span, out ReadOnlyMemory<byte> answer);
        using SecretBytes? initiators = initiator.Finish(answer.Span);

        Assert.NotNull(responders);
        Assert.NotNull(initiators);
        Assert.Equal(valueLength, initiator.PublicValue.Length);
        Assert.Equal(answerLength == 0 ? valueLength : answerLength, answer.Length);
        Assert.Equal(secretLength, initiators.Length);
        Assert.Equal(initiators.Value, responders.Value);
    }

    [Fact]
    public void The_published_key_pairs_of_P256_are_taken_without_the_prefix()
    {
        // RFC 5903 §8.1.
        byte[] i = Convert.FromHexString("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
        byte[] gix = Convert.FromHexString("DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180");
        byte[] giy = Convert.FromHexString("5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3");
        byte[] grx = Convert.FromHexString("D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63");
        byte[] gry = Convert.FromHexString("56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB");
        string girx = "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE";
        using ECDiffieHellman initiator = ECDiffieHellman.Create(
            new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = i, Q = new ECPoint { X = gix, Y = giy } });
        Assert.Equal(girx, Convert.ToHexString(Agree(initiator, [.. grx, .. gry])));

        using SecretBytes? secret = IkeKeyExchange.Respond(KeyExchangeMethod.P256, [.. gix, .. giy], out ReadOnlyMemory<byte> answer);

        Assert.NotNull(secret);
        Assert.Equal(Agree(initiator, answer.ToArray()), secret.Value);
    }

    [Theory]
    [InlineData((ushort)KeyExchangeMethod.X25519, 32)]
    [InlineData((ushort)KeyExchangeMethod.P256, 64)]
    [InlineData((ushort)KeyExchangeMethod.P384, 96)]
    public void Values_that_are_no_points_are_refused(ushort number, int length)
    {
        var method = (KeyExchangeMethod)number;
        using IkeKeyExchange initiator = new(method);
        // Zeros are a point of small order on Curve25519 (RFC 7748 §6.1), and no point of the NIST curves.
        foreach (byte[] value in new byte[][] { [], new byte[length], new byte[length - 1], new byte[length + 1], [4, .. initiator.PublicValue.Span] })
        {
            Assert.Null(IkeKeyExchange.Respond(method, value, out ReadOnlyMemory<byte> answer));
            Assert.Equal(0, answer.Length);
            Assert.Null(initiator.Finish(value));
        }
    }

    [Fact]
    public void An_encapsulation_key_with_a_coefficient_beyond_the_modulus_is_refused()
    {
        using IkeKeyExchange initiator = new(KeyExchangeMethod.MlKem768);
        byte[] key = initiator.PublicValue.ToArray();
        // FIPS 203 §7.2: the first two coefficients of 12 bits become 3,329, which is q, and then 4,095.
        (key[0], key[1]) = (0x01, (byte)((key[1] & 0xF0) | 0x0D));
        Assert.Null(IkeKeyExchange.Respond(KeyExchangeMethod.MlKem768, key, out ReadOnlyMemory<byte> answer));
        Assert.Equal(0, answer.Length);
        (key[0], key[1], key[2]) = (0xFF, 0xFF, 0xFF);
        Assert.Null(IkeKeyExchange.Respond(KeyExchangeMethod.MlKem768, key, out _));
        (key[0], key[1], key[2]) = (0x00, 0x0D, 0xD0);
        using SecretBytes? secret = IkeKeyExchange.Respond(KeyExchangeMethod.MlKem768, key, out _);
        Assert.NotNull(secret);
        foreach (int length in (int[])[0, 1, 1087, 1089, 1184])
            Assert.Null(initiator.Finish(new byte[length]));
    }

    [Fact]
    public void Only_four_methods_are_known()
    {
        Assert.Equal([KeyExchangeMethod.P256, KeyExchangeMethod.P384, KeyExchangeMethod.X25519, KeyExchangeMethod.MlKem768],
            Enumerable.Range(0, ushort.MaxValue + 1).Select(n => (KeyExchangeMethod)n).Where(KeyExchangeMethods.IsKnown));
        Assert.Throws<ArgumentOutOfRangeException>(() => new IkeKeyExchange(KeyExchangeMethod.None));
    }

    private static byte[] Agree(ECDiffieHellman key, byte[] publicValue)
    {
        int half = publicValue.Length / 2;
        using ECDiffieHellman peer = ECDiffieHellman.Create(
            new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = publicValue[..half], Y = publicValue[half..] } });
        using ECDiffieHellmanPublicKey peerKey = peer.PublicKey;
        return key.DeriveRawSecretAgreement(peerKey);
    }
}
