using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>
/// The hybrid kernel on emulated instructions: everything about it but the instructions themselves and the speed.
/// </summary>
public sealed unsafe class GcmHybridKernelTests
{
    [Fact]
    public void Sixteen_blocks_in_rows_are_encrypted_like_one_by_one()
    {
        RequireAes();
        CompareBlocks<Aes128Rounds>(AeadAlgorithm.Aes128Gcm);
        CompareBlocks<Aes256Rounds>(AeadAlgorithm.Aes256Gcm);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(16)]
    [InlineData(40)]
    public void Large_messages_are_sealed_and_opened_as_by_the_long_kernel(int aadLength)
    {
        RequireAes();
        CompareMessages<Aes128Rounds>(AeadAlgorithm.Aes128Gcm, aadLength);
        CompareMessages<Aes256Rounds>(AeadAlgorithm.Aes256Gcm, aadLength);
    }

    private static void RequireAes() => Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");

    private static void CompareBlocks<TRounds>(AeadAlgorithm algorithm)
        where TRounds : struct, IAesRounds
    {
        using AeadKey key = AeadKey.Create(algorithm, RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm)));
        byte* roundKeys = key.Handle.Block->RoundKeys;
        using var rows = new NativeBuffer(16 * (TRounds.Count + 1));
        GfniLanes<EmulatedGfni>.TransposeKeys(roundKeys, TRounds.Count + 1, rows.Pointer);
        Vector128<byte> nonce = Vector128.Create(RandomNumberGenerator.GetBytes(16)) & Vector128.Create(-1, -1, -1, 0).AsByte();
        using var data = new NativeBuffer(16 * GfniLanes<EmulatedGfni>.Blocks);
        // Carries into every byte of the counter.
        foreach (uint counter in (uint[])[0, 250, 0xFFF8, 0x00FF_FFF9, 0x7FFF_FFF3])
        {
            data.Span.Clear();
            var lanes = new GfniLanes<EmulatedGfni>(nonce, counter, rows.Pointer);
            for (int round = 1; round < TRounds.Count; round++)
                lanes.Round();
            lanes.Finish(data.Pointer, data.Pointer);
            for (uint i = 0; i < GfniLanes<EmulatedGfni>.Blocks; i++)
            {
                Vector128<byte> expected = AesKeyExpansion.EncryptBlock(GcmBlock.Counter(nonce, counter + i), roundKeys, TRounds.Count);
                Assert.Equal(expected, Vector128.Load(data.Pointer + 16 * i));
            }
        }
    }

    private static void CompareMessages<TRounds>(AeadAlgorithm algorithm, int aadLength)
        where TRounds : struct, IAesRounds
    {
        int chunk = GcmHybridKernel.ChunkLength;
        foreach (int length in (int[])[4 * chunk, 4 * chunk + 1, 4 * chunk + 128, 4 * chunk + 129, 5 * chunk - 17, 5 * chunk + 200])
        {
            using var burst = new ManagedBurst(1);
            burst.Add(algorithm, AeadDirection.Seal, length, aadLength);
            byte[][] plain = burst.Texts;
            GcmPlan.Run(burst.Operations, 1, GhashTier.Lanes128);
            byte[][] expected = burst.Texts;

            burst.Texts = plain;
            GcmLongKernel.RunHybrid<TRounds, Sealing, EmulatedLanes512, FourBlocks, EmulatedGfni>(burst.Operations);
            Assert.Equal(expected, burst.Texts);

            burst.Direction = AeadDirection.Open;
            GcmLongKernel.RunHybrid<TRounds, Opening, EmulatedLanes512, FourBlocks, EmulatedGfni>(burst.Operations);
            Assert.Equal(AeadStatus.Success, burst.Operations->Status);
            Assert.Equal(plain[0][..length], burst.Texts[0][..length]);

            expected[0][length / 2] ^= 1;
            burst.Texts = expected;
            GcmLongKernel.RunHybrid<TRounds, Opening, EmulatedLanes512, FourBlocks, EmulatedGfni>(burst.Operations);
            Assert.Equal(AeadStatus.AuthenticationFailed, burst.Operations->Status);
            Assert.Equal(new byte[length], burst.Texts[0][..length]);
        }
    }
}
