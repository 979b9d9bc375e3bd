using System.Security.Cryptography;
using CryptoPlane.PublicKey;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.PublicKey;

/// <summary>Wycheproof's key agreements: right secrets, and points that must be refused.</summary>
public sealed class KeyExchangeVectorTests
{
    [Fact]
    public void X25519_agrees_with_every_vector_and_refuses_points_of_small_order()
    {
        using WycheproofFile file = WycheproofFile.Load("x25519_test.json");
        int run = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            using LibCryptoKey key = LibCryptoKey.X25519(test.Hex("private"));
            byte[] secret = new byte[32];
            bool agreed = ((DiffieHellmanGroup)KeyExchangeGroup.X25519).TryDerive(key.Handle, test.Hex("public"), secret);
            // RFC 8446 §7.4.2 makes an error of the all-zero secret, which Wycheproof leaves open.
            bool isZero = test.Flags.Contains("ZeroSharedSecret");
            Assert.True(agreed == !isZero, test.ToString());
            Assert.True(secret.AsSpan().SequenceEqual(test.Hex("shared")), test.ToString());
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
    }

    [Theory]
    [InlineData("ecdh_secp256r1_ecpoint_test.json", 32)]
    [InlineData("ecdh_secp384r1_ecpoint_test.json", 48)]
    public void Ecdh_agrees_with_every_vector_and_refuses_invalid_points(string name, int size)
    {
        KeyExchangeGroup group = size == 32 ? KeyExchangeGroup.P256 : KeyExchangeGroup.P384;
        ECCurve curve = size == 32 ? ECCurve.NamedCurves.nistP256 : ECCurve.NamedCurves.nistP384;
        using WycheproofFile file = WycheproofFile.Load(name);
        int run = 0, agreements = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            // The vectors' numbers carry a sign byte, or leave zeros away.
            byte[] number = test.Hex("private");
            byte[] padded = new byte[size];
            ReadOnlySpan<byte> digits = number.AsSpan().TrimStart((byte)0);
            digits.CopyTo(padded.AsSpan(size - digits.Length));
            using LibCryptoKey key = LibCryptoKey.Ec(curve, padded);
            byte[] secret = new byte[size];
            bool agreed = ((DiffieHellmanGroup)group).TryDerive(key.Handle, test.Hex("public"), secret);
            // RFC 8446 §4.2.8.2 has no compressed points, which Wycheproof leaves open.
            Assert.True(agreed == (test.Result == WycheproofResult.Valid), test.ToString());
            Assert.True(secret.AsSpan().SequenceEqual(agreed ? test.Hex("shared") : new byte[size]), test.ToString());
            agreements += agreed ? 1 : 0;
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
        Assert.True(agreements > 100);
    }
}
