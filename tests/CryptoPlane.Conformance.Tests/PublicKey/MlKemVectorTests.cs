using CryptoPlane.PublicKey.MlKem;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.PublicKey;

/// <summary>Wycheproof's ML-KEM-768: keys from seeds, encapsulation with a given message, decapsulation with right and wrong ciphertexts.</summary>
public sealed class MlKemVectorTests
{
    [Fact]
    public void Every_seed_makes_the_right_keys()
    {
        using WycheproofFile file = WycheproofFile.Load("mlkem_768_keygen_seed_test.json");
        int run = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            byte[] key = new byte[MlKem768Algorithm.DecapsulationKeySize];
            MlKem768Algorithm.GenerateKeys(test.Hex("seed"), key);
            Assert.True(key.AsSpan().SequenceEqual(test.Hex("dk")), test.ToString());
            Assert.True(MlKem768Algorithm.EncapsulationKey(key).SequenceEqual(test.Hex("ek")), test.ToString());
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
    }

    [Fact]
    public void Every_message_is_encapsulated_and_every_wrong_key_refused()
    {
        using WycheproofFile file = WycheproofFile.Load("mlkem_768_encaps_test.json");
        int run = 0, refused = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            byte[] key = test.Hex("ek");
            bool valid = test.Result == WycheproofResult.Valid;
            Assert.True(MlKem768Algorithm.IsEncapsulationKey(key) == valid, test.ToString());
            if (valid)
            {
                byte[] ciphertext = new byte[MlKem768Algorithm.CiphertextSize], secret = new byte[MlKem768Algorithm.SecretSize];
                MlKem768Algorithm.Encapsulate(key, test.Hex("m"), ciphertext, secret);
                Assert.True(ciphertext.AsSpan().SequenceEqual(test.Hex("c")), test.ToString());
                Assert.True(secret.AsSpan().SequenceEqual(test.Hex("K")), test.ToString());
            }
            refused += valid ? 0 : 1;
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
        Assert.True(refused > 100);
    }

    [Fact]
    public void Every_ciphertext_gives_its_secret_or_is_rejected_implicitly()
    {
        using WycheproofFile file = WycheproofFile.Load("mlkem_768_test.json");
        int run = 0, opened = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            run++;
            byte[] seed = test.Hex("seed"), ciphertext = test.Hex("c");
            if (seed.Length != MlKem768Algorithm.KeySeedSize || ciphertext.Length != MlKem768Algorithm.CiphertextSize)
            {
                // MlKemInitiator refuses other lengths (MlKemGroupTests).
                Assert.True(test.Result == WycheproofResult.Invalid, test.ToString());
                continue;
            }
            Assert.True(test.Result == WycheproofResult.Valid, test.ToString());
            byte[] key = new byte[MlKem768Algorithm.DecapsulationKeySize], secret = new byte[MlKem768Algorithm.SecretSize];
            MlKem768Algorithm.GenerateKeys(seed, key);
            MlKem768Algorithm.Decapsulate(key, ciphertext, secret);
            Assert.True(secret.AsSpan().SequenceEqual(test.Hex("K")), test.ToString());
            opened++;
        }
        Assert.Equal(file.NumberOfTests, run);
        Assert.True(opened > 100);
    }
}
