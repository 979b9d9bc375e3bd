using System.Runtime.CompilerServices;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>After a burst, the stack below the caller holds no key stream, no part of the key and no power of H.</summary>
/// <remarks>
/// Alone: a collection that another test causes stops this thread with a signal, for which the kernel saves the registers on the stack,
/// deeper than a scrub reaches (docs/aead.md).
/// </remarks>
[Collection(nameof(ScrubTests))]
[CollectionDefinition(nameof(ScrubTests), DisableParallelization = true)]
public sealed unsafe class ScrubTests
{
    private const int StackLength = 8192;

    [Theory]
    [InlineData(16)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(256)]
    [InlineData(1408)]
    public void A_burst_leaves_no_secret_on_the_stack(int length)
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        for (int count = 1; count <= 5; count += 2)
        {
            using var burst = new ManagedBurst(count);
            for (int i = 0; i < count; i++)
                burst.Add(AeadAlgorithm.Aes256Gcm, AeadDirection.Seal, length, 12);
            byte[][] plain = burst.Texts;
            byte[] stack = new byte[StackLength];
            // A kernel's first call compiles it, and the runtime then saves registers deeper than a scrub reaches: see docs/aead.md.
            RunBoth(length, count);
            foreach (AeadDirection direction in (AeadDirection[])[AeadDirection.Seal, AeadDirection.Open])
            {
                burst.Direction = direction;
                RunAndCopyStack(burst.Operations, count, stack);
                byte[][] now = burst.Texts;
                Assert.All(burst.Statuses, status => Assert.Equal(AeadStatus.Success, status));
                for (int i = 0; i < count; i++)
                {
                    if (direction == AeadDirection.Seal)
                        AssertAbsent(stack, [.. plain[i][..length].Zip(now[i], (a, b) => (byte)(a ^ b))], "key stream");
                    AeadKeyBlock* key = burst.Operations[i].Key.Block;
                    AssertAbsent(stack, new ReadOnlySpan<byte>(key->RoundKeys, 240), "round keys");
                    AssertAbsent(stack, new ReadOnlySpan<byte>(key->HashPowers, 16 * AeadKeyBlock.Powers), "powers of H");
                }
            }
        }
    }

    /// <summary>Seals and opens messages of other keys.</summary>
    private static void RunBoth(int length, int count)
    {
        using var burst = new ManagedBurst(count);
        for (int i = 0; i < count; i++)
            burst.Add(AeadAlgorithm.Aes256Gcm, AeadDirection.Seal, length, 12);
        GcmPlan.Run(burst.Operations, count, GhashTier.Lanes128);
        burst.Direction = AeadDirection.Open;
        GcmPlan.Run(burst.Operations, count, GhashTier.Lanes128);
    }

    private static void AssertAbsent(ReadOnlySpan<byte> stack, ReadOnlySpan<byte> secret, string what)
    {
        // Half a block is enough to be no accident.
        for (int i = 0; i + 8 <= secret.Length; i += 8)
            Assert.True(stack.IndexOf(secret.Slice(i, 8)) < 0, $"{what}, from byte {i} on, is on the stack");
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void RunAndCopyStack(AeadOperation* operations, int count, byte[] copy)
    {
        GcmPlan.Run(operations, count, GhashTier.Lanes128);
        CopyStack(copy);
    }

    /// <summary>Copies the stack below the caller as calls before this one left it.</summary>
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static void CopyStack(byte[] copy)
    {
        byte* stack = stackalloc byte[StackLength];
        for (int i = 0; i < StackLength; i++)
            copy[i] = stack[i];
    }
}
