using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

public sealed unsafe class GcmCountersTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(128)]
    [InlineData(16 * 248)]
    [InlineData(16 * 0x00FF_FFF8u)]
    [InlineData(16 * 0x07FF_FFF8u)]
    public void Blocks_count_on_from_2_whatever_carries(uint offset)
    {
        using AeadKey key = AeadKey.Create(AeadAlgorithm.Aes128Gcm, RandomNumberGenerator.GetBytes(16));
        using var descriptor = new NativeBuffer(AeadOperation.SizeInBytes);
        var operation = (AeadOperation*)descriptor.Pointer;
        byte[] nonce = RandomNumberGenerator.GetBytes(AeadSizes.Nonce);
        operation->Key = key.Handle;
        operation->SetNonce(nonce);
        operation->UserData = uint.MaxValue;
        var counters = new GcmCounters(operation, offset);
        Assert.Equal(Expected(nonce, 1, operation), counters.J0);
        for (int i = 0; i < 8; i++)
        {
            Vector128<byte> expected = Expected(nonce, offset / 16 + 2 + (uint)i, operation);
            Assert.Equal(expected, counters.Block(i));
            if (offset == 0)
                Assert.Equal(expected, new GcmCounters(operation).Block(i));
        }
        Assert.Equal(counters.J0, new GcmCounters(operation).J0);
    }

    private static Vector128<byte> Expected(byte[] nonce, uint counter, AeadOperation* operation)
    {
        Span<byte> block = stackalloc byte[16];
        nonce.CopyTo(block);
        BinaryPrimitives.WriteUInt32BigEndian(block[12..], counter);
        return Vector128.Create<byte>(block) ^ Vector128.Load(operation->Key.Block->RoundKeys);
    }
}
