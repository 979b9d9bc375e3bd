using System.Security.Cryptography;
using CryptoPlane.PublicKey;
using CryptoPlane.PublicKey.MlKem;

namespace CryptoPlane.Tests.PublicKey.MlKem;

public sealed class MlKemGroupTests
{
    [Fact]
    public void A_changed_ciphertext_gives_another_secret_and_no_refusal()
    {
        var group = new MlKemGroup();
        using KeyExchangeInitiator initiator = group.CreateInitiator();
        byte[] ciphertext = new byte[group.ResponderShareSize], secret = new byte[32], own = new byte[32], again = new byte[32];
        Assert.True(group.TryRespond(initiator.Share.Span, ciphertext, secret));
        for (int i = 0; i < ciphertext.Length; i += 7)
        {
            ciphertext[i] ^= 0x10;
            Assert.True(initiator.TryFinish(ciphertext, own));
            Assert.NotEqual(secret, own);
            // FIPS 203 §6.3: the same wrong ciphertext gives the same secret.
            Assert.True(initiator.TryFinish(ciphertext, again));
            Assert.Equal(own, again);
            ciphertext[i] ^= 0x10;
        }
        Assert.True(initiator.TryFinish(ciphertext, own));
        Assert.Equal(secret, own);
    }

    [Fact]
    public void Ciphertexts_of_other_lengths_are_refused()
    {
        var group = new MlKemGroup();
        using KeyExchangeInitiator initiator = group.CreateInitiator();
        byte[] secret = new byte[32];
        for (int length = 0; length < 2 * group.ResponderShareSize; length += length is > 1080 and < 1096 ? 1 : 13)
        {
            secret.AsSpan().Fill(1);
            Assert.Equal(length == group.ResponderShareSize, initiator.TryFinish(new byte[length], secret));
            Assert.Equal(length == group.ResponderShareSize, secret.AsSpan().ContainsAnyExcept((byte)0));
        }
    }

    [Fact]
    public void A_key_with_a_coefficient_that_is_too_large_is_refused()
    {
        var group = new MlKemGroup();
        using KeyExchangeInitiator initiator = group.CreateInitiator();
        byte[] key = initiator.Share.ToArray(), ciphertext = new byte[group.ResponderShareSize], secret = new byte[32];
        Assert.True(group.TryRespond(key, ciphertext, secret));
        key[300] = key[301] = key[302] = 0xFF;
        Assert.False(group.TryRespond(key, ciphertext, secret));
        Assert.Equal(new byte[32], secret);
        Assert.Equal(new byte[ciphertext.Length], ciphertext);
    }

    [Fact]
    public void A_disposed_key_is_erased()
    {
        byte[] key = GC.AllocateUninitializedArray<byte>(MlKem768Algorithm.DecapsulationKeySize, pinned: true);
        MlKem768Algorithm.GenerateKeys(RandomNumberGenerator.GetBytes(MlKem768Algorithm.KeySeedSize), key);
        var initiator = new MlKemInitiator(new MlKemGroup(), key);
        initiator.Dispose();
        Assert.Equal(new byte[key.Length], key);
        Assert.Throws<ObjectDisposedException>(() => initiator.TryFinish(new byte[MlKem768Algorithm.CiphertextSize], new byte[32]));
    }

    [Fact]
    public void The_framework_and_our_own_code_agree_both_ways()
    {
        if (!MLKem.IsSupported)
            Assert.Skip("The framework has no ML-KEM: it needs a libcrypto of OpenSSL 3.5 or later. Our own code is checked against Wycheproof's vectors.");
        foreach ((KeyExchangeGroup one, KeyExchangeGroup other) in new (KeyExchangeGroup, KeyExchangeGroup)[]
            { (new MlKemGroup(), new FrameworkMlKemGroup()), (new FrameworkMlKemGroup(), new MlKemGroup()) })
        {
            using KeyExchangeInitiator initiator = one.CreateInitiator();
            byte[] ciphertext = new byte[one.ResponderShareSize], secret = new byte[32], own = new byte[32];
            Assert.True(other.TryRespond(initiator.Share.Span, ciphertext, secret));
            Assert.True(initiator.TryFinish(ciphertext, own));
            Assert.Equal(secret, own);
        }
    }
}
