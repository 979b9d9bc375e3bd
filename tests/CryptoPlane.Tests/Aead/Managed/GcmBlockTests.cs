using System.Runtime.Intrinsics;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

public sealed unsafe class GcmBlockTests
{
    [Theory]
    [InlineData(GuardPage.Before)]
    [InlineData(GuardPage.Behind)]
    public void Partial_loads_and_stores_touch_exactly_their_bytes(GuardPage guard)
    {
        for (int count = 1; count < 16; count++)
        {
            using var source = new NativeBuffer(count, guard);
            using var destination = new NativeBuffer(count, guard);
            for (int i = 0; i < count; i++)
                source.Span[i] = (byte)(i + 1);
            // What this CPU takes, and what every CPU can take.
            Vector128<byte> block = GcmBlock.LoadPartial(source.Pointer, count);
            Assert.Equal(block, GcmBlock.LoadPieces(source.Pointer, count));
            for (int i = 0; i < 16; i++)
                Assert.Equal(i < count ? i + 1 : 0, block[i]);
            GcmBlock.StorePartial(block | Vector128.Create((byte)0x80), destination.Pointer, count);
            for (int i = 0; i < count; i++)
                Assert.Equal(0x80 | (i + 1), destination.Span[i]);
            GcmBlock.StorePieces(block | Vector128.Create((byte)0x40), destination.Pointer, count);
            for (int i = 0; i < count; i++)
                Assert.Equal(0x40 | (i + 1), destination.Span[i]);
        }
    }

    [Fact]
    public void The_first_bytes_are_kept_and_the_rest_is_zero()
    {
        for (int count = 0; count <= 16; count++)
        {
            Vector128<byte> kept = GcmBlock.KeepFirst(Vector128<byte>.AllBitsSet, count);
            for (int i = 0; i < 16; i++)
                Assert.Equal(i < count ? 0xFF : 0, kept[i]);
        }
    }
}
