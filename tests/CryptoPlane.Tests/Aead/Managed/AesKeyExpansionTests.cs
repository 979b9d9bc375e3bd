using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>The examples of FIPS 197.</summary>
public sealed unsafe class AesKeyExpansionTests
{
    [Theory]
    // FIPS 197, Appendix A.1 and A.3: the last round key.
    [InlineData(AeadAlgorithm.Aes128Gcm, "2b7e151628aed2a6abf7158809cf4f3c", 10, "d014f9a8c9ee2589e13f0cc8b6630ca6")]
    [InlineData(AeadAlgorithm.Aes256Gcm, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 14, "fe4890d1e6188d0b046df344706c631e")]
    public void The_last_round_key_is_that_of_the_standard(AeadAlgorithm algorithm, string key, int round, string expected)
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        using AeadKey expanded = AeadKey.Create(algorithm, Convert.FromHexString(key));
        var roundKey = new ReadOnlySpan<byte>(expanded.Handle.Block->RoundKeys + 16 * round, 16);
        Assert.Equal(expected, Convert.ToHexStringLower(roundKey));
    }
}
