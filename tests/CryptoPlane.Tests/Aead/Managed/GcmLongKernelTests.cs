using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>The long kernel's wide forms agree with the narrow one, whose results the conformance tests check.</summary>
public sealed unsafe class GcmLongKernelTests
{
    [Theory]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(1408)]
    [InlineData(16_384 + 128)]
    public void Every_width_writes_the_same_bytes_and_the_same_hash(int length)
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        Compare<Aes128Rounds>(AeadAlgorithm.Aes128Gcm, length);
        Compare<Aes256Rounds>(AeadAlgorithm.Aes256Gcm, length);
    }

    private static void Compare<TRounds>(AeadAlgorithm algorithm, int length)
        where TRounds : struct, IAesRounds
    {
        byte[] key = RandomNumberGenerator.GetBytes(AeadSizes.Key(algorithm));
        byte[] input = RandomNumberGenerator.GetBytes(length);
        string sealedNarrow = Run<TRounds, Sealing, GhashLanes128, Vector128<ulong>>(algorithm, key, input);
        Assert.Equal(sealedNarrow, Run<TRounds, Sealing, EmulatedLanes256, TwoBlocks>(algorithm, key, input));
        Assert.Equal(sealedNarrow, Run<TRounds, Sealing, EmulatedLanes512, FourBlocks>(algorithm, key, input));
        string openedNarrow = Run<TRounds, Opening, GhashLanes128, Vector128<ulong>>(algorithm, key, input);
        Assert.Equal(openedNarrow, Run<TRounds, Opening, EmulatedLanes256, TwoBlocks>(algorithm, key, input));
        Assert.Equal(openedNarrow, Run<TRounds, Opening, EmulatedLanes512, FourBlocks>(algorithm, key, input));
        Assert.NotEqual(sealedNarrow, openedNarrow);
    }

    private static string Run<TRounds, TDirection, TLanes, TVector>(AeadAlgorithm algorithm, byte[] key, byte[] input)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        using AeadKey expanded = AeadKey.Create(algorithm, key);
        using var buffer = new NativeBuffer(input.Length + AeadSizes.Tag);
        input.CopyTo(buffer.Span);
        AeadOperation operation = default;
        operation.Source = operation.Destination = buffer.Pointer;
        operation.Key = expanded.Handle;
        operation.Length = (uint)input.Length;
        operation.SetInlineAad([1, 2, 3]);
        Vector128<ulong> hash = Ghash.Aad(&operation);
        nuint done = GcmLongKernel.Run<TRounds, TDirection, TLanes, TVector>(&operation, &hash);
        Assert.Equal((nuint)input.Length, done);
        return Convert.ToHexString(buffer.Span[..input.Length]) + hash;
    }
}
