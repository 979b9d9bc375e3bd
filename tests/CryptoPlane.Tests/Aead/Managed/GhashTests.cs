using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

public sealed unsafe class GhashTests
{
    [Fact]
    public void Two_products_at_once_are_the_sum_of_one_and_the_other()
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, RandomNumberGenerator.GetBytes(16));
        AeadKeyBlock* block = key.Handle.Block;
        for (int power = 5; power <= 8; power++)
        {
            Vector128<ulong> first = RandomBlock(), second = RandomBlock();
            Vector128<ulong> low = default, middle = default, high = default;
            Ghash.AddProducts(ref low, ref middle, ref high, first, second, block, power);
            Vector128<ulong> together = Ghash.Reduce(low, middle, high);

            low = middle = high = default;
            Ghash.AddProduct(ref low, ref middle, ref high, first, block, power);
            Ghash.AddProduct(ref low, ref middle, ref high, second, block, power - 4);
            Assert.Equal(Ghash.Reduce(low, middle, high), together);
            Assert.NotEqual(default, together);
        }
    }

    [Fact]
    public void A_product_with_a_power_is_as_many_products_with_h()
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes256Gcm, RandomNumberGenerator.GetBytes(32));
        AeadKeyBlock* block = key.Handle.Block;
        Vector128<ulong> x = RandomBlock(), expected = x;
        for (int power = 1; power <= AeadKeyBlock.Powers; power++)
        {
            expected = Ghash.MultiplyByH(expected, block);
            Vector128<ulong> low = default, middle = default, high = default;
            Ghash.AddProduct(ref low, ref middle, ref high, x, block, power);
            Assert.Equal(expected, Ghash.Reduce(low, middle, high));
        }
    }

    private static Vector128<ulong> RandomBlock() => Vector128.Create(RandomNumberGenerator.GetBytes(16)).AsUInt64();
}
