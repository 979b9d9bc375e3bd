using System.Runtime.CompilerServices;
using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

public sealed unsafe class AeadOperationTests
{
    [Fact]
    public void A_descriptor_is_one_cache_line() => Assert.Equal(64, Unsafe.SizeOf<AeadOperation>());

    [Fact]
    public void Inline_aad_is_padded_with_zeros()
    {
        AeadOperation operation = default;
        operation.SetInlineAad(stackalloc byte[16] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 });
        operation.SetInlineAad([0xAA, 0xBB]);
        Assert.Equal(2, operation.AadLength);
        Assert.Equal(0xBB, operation.InlineAad[1]);
        for (int i = 2; i < 16; i++)
            Assert.Equal(0, operation.InlineAad[i]);
    }

    [Fact]
    public void A_nonce_of_another_size_is_refused()
    {
        Assert.Throws<ArgumentException>(() => default(AeadOperation).SetNonce(new byte[8]));
    }
}
