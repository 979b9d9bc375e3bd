using System.Security.Cryptography;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Tests.KeySchedule;

/// <summary>Wycheproof's HKDF and HMAC, as the key schedule computes them.</summary>
public sealed class WycheproofKeyDerivationTests
{
    [Theory]
    [InlineData("hkdf_sha256_test.json", (int)TlsHash.Sha256)]
    [InlineData("hkdf_sha384_test.json", (int)TlsHash.Sha384)]
    public void Hkdf_gives_every_output_and_refuses_those_that_are_too_long(string name, int hashNumber)
    {
        var hash = (TlsHash)hashNumber;
        using WycheproofFile file = WycheproofFile.Load(name);
        int run = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            byte[] key = new byte[hash.Length()], output = new byte[test.Test.GetProperty("size").GetInt32()];
            Hkdf.Extract(hash, test.Hex("salt"), test.Hex("ikm"), key);
            if (test.Result == WycheproofResult.Invalid)
            {
                Assert.Throws<ArgumentException>(() => Hkdf.Expand(hash, key, test.Hex("info"), output));
            }
            else
            {
                Hkdf.Expand(hash, key, test.Hex("info"), output);
                Assert.True(output.AsSpan().SequenceEqual(test.Hex("okm")), test.ToString());
            }
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
    }

    [Theory]
    [InlineData("hmac_sha256_test.json", (int)TlsHash.Sha256)]
    [InlineData("hmac_sha384_test.json", (int)TlsHash.Sha384)]
    public void Hmac_agrees_with_every_tag(string name, int hashNumber)
    {
        var hash = (TlsHash)hashNumber;
        using WycheproofFile file = WycheproofFile.Load(name);
        int run = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            byte[] mac = new byte[hash.Length()];
            hash.Hmac(test.Hex("key"), test.Hex("msg"), mac);
            bool equal = CryptographicOperations.FixedTimeEquals(mac.AsSpan(0, test.GroupInt("tagSize") / 8), test.Hex("tag"));
            Assert.True(equal == (test.Result == WycheproofResult.Valid), test.ToString());
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
    }
}
