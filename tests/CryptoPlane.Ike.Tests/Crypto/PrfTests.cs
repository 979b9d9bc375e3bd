using System.Text;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Tests.Crypto;

public class PrfTests
{
    [Theory]
    // RFC 4231 §4.2.
    [InlineData((ushort)PrfAlgorithm.HmacSha256, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")]
    [InlineData((ushort)PrfAlgorithm.HmacSha384, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
        "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6")]
    [InlineData((ushort)PrfAlgorithm.HmacSha512, "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "Hi There",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854")]
    // RFC 4231 §4.3.
    [InlineData((ushort)PrfAlgorithm.HmacSha256, "4a656665", "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")]
    [InlineData((ushort)PrfAlgorithm.HmacSha384, "4a656665", "what do ya want for nothing?",
        "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649")]
    [InlineData((ushort)PrfAlgorithm.HmacSha512, "4a656665", "what do ya want for nothing?",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737")]
    public void Known_answers_are_given(ushort algorithm, string key, string data, string expected)
    {
        var prf = (PrfAlgorithm)algorithm;
        byte[] output = new byte[prf.Length()];
        Prf.Compute(prf, Convert.FromHexString(key), Encoding.ASCII.GetBytes(data), output);
        Assert.Equal(expected, Convert.ToHexStringLower(output));
    }

    [Theory]
    [InlineData((ushort)PrfAlgorithm.HmacSha256)]
    [InlineData((ushort)PrfAlgorithm.HmacSha384)]
    [InlineData((ushort)PrfAlgorithm.HmacSha512)]
    public void The_expansion_chains_blocks_that_end_with_their_number(ushort algorithm)
    {
        var prf = (PrfAlgorithm)algorithm;
        int length = prf.Length();
        byte[] key = [1, 2, 3], seed = [4, 5], first = new byte[length], second = new byte[length], output = new byte[(2 * length) - 7];
        Prf.Compute(prf, key, [.. seed, 1], first);
        Prf.Compute(prf, key, [.. first, .. seed, 2], second);

        Prf.Expand(prf, key, seed, output);

        Assert.Equal([.. first, .. second[..^7]], output);
    }

    [Fact]
    public void The_expansion_ends_after_255_blocks()
    {
        byte[] output = new byte[(255 * 32) + 1];
        Prf.Expand(PrfAlgorithm.HmacSha256, [1], [2], output.AsSpan(1));
        Assert.Throws<ArgumentException>(() => Prf.Expand(PrfAlgorithm.HmacSha256, [1], [2], output));
    }

    [Fact]
    public void Other_numbers_are_no_function()
    {
        Assert.False(Prf.IsKnown(PrfAlgorithm.None));
        Assert.False(Prf.IsKnown((PrfAlgorithm)2));
        Assert.Throws<ArgumentOutOfRangeException>(() => PrfAlgorithm.None.Length());
    }
}
