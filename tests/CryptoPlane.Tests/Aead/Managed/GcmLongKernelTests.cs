using System.Runtime.Intrinsics;
using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>The long kernel's wide forms agree with the narrow one, whose results the conformance tests check.</summary>
public sealed unsafe class GcmLongKernelTests
{
    [Fact]
    public void Every_width_seals_and_opens_every_length_alike()
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        Compare<Aes128Rounds>(AeadAlgorithm.Aes128Gcm);
        Compare<Aes256Rounds>(AeadAlgorithm.Aes256Gcm);
    }

    [Fact]
    public void A_wide_load_finds_the_half_sums_of_the_powers_that_follow()
    {
        // What the emulated lanes cannot show: wide loads take the half sums of H^8 and H^4, then of H^7 and H^3, and so on, as they lie.
        for (int power = 8; power > 4; power--)
        {
            Assert.Equal(Ghash.HalfSumOffset(8) + 16 * (8 - power), Ghash.HalfSumOffset(power));
            Assert.Equal(Ghash.HalfSumOffset(power) + 8, Ghash.HalfSumOffset(power - 4));
            Assert.Equal(Ghash.PowerOffset(8) + 16 * (8 - power), Ghash.PowerOffset(power));
        }
    }

    private static void Compare<TRounds>(AeadAlgorithm algorithm)
        where TRounds : struct, IAesRounds
    {
        using var burst = new ManagedBurst(256);
        // Every number of blocks in the end, whole and short last blocks, and a few groups, side by side in one list.
        for (int length = 129; length <= 420; length += length % 3 + 1)
            burst.Add(algorithm, AeadDirection.Seal, length, length % 19);
        burst.Add(algorithm, AeadDirection.Seal, 16_384, 0);
        byte[][] plain = burst.Texts;

        Run<TRounds, Sealing, GhashLanes128, Vector128<ulong>>(burst);
        byte[][] sealedTexts = burst.Texts;
        burst.Texts = plain;
        Run<TRounds, Sealing, EmulatedLanes256, TwoBlocks>(burst);
        Assert.Equal(sealedTexts, burst.Texts);
        burst.Texts = plain;
        Run<TRounds, Sealing, EmulatedLanes512, FourBlocks>(burst);
        Assert.Equal(sealedTexts, burst.Texts);

        Open<TRounds, GhashLanes128, Vector128<ulong>>(burst, sealedTexts, plain);
        Open<TRounds, EmulatedLanes256, TwoBlocks>(burst, sealedTexts, plain);
        Open<TRounds, EmulatedLanes512, FourBlocks>(burst, sealedTexts, plain);
    }

    private static void Open<TRounds, TLanes, TVector>(ManagedBurst burst, byte[][] sealedTexts, byte[][] plain)
        where TRounds : struct, IAesRounds
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        // Every third one is forged, in its last byte.
        burst.Texts = [.. sealedTexts.Select((text, i) => i % 3 == 0 ? [.. text[..^1], (byte)~text[^1]] : text)];
        Run<TRounds, Opening, TLanes, TVector>(burst);
        for (int i = 0; i < burst.Count; i++)
        {
            byte[] text = burst.Texts[i][..^AeadSizes.Tag];
            Assert.Equal(i % 3 == 0 ? AeadStatus.AuthenticationFailed : AeadStatus.Success, burst.Statuses[i]);
            Assert.Equal(i % 3 == 0 ? new byte[text.Length] : plain[i][..^AeadSizes.Tag], text);
        }
    }

    private static void Run<TRounds, TDirection, TLanes, TVector>(ManagedBurst burst)
        where TRounds : struct, IAesRounds
        where TDirection : struct, IGcmDirection
        where TLanes : struct, IGhashLanes<TVector>
        where TVector : struct
    {
        AeadOperation** list = stackalloc AeadOperation*[burst.Count];
        for (int i = 0; i < burst.Count; i++)
            list[i] = burst.Operations + i;
        GcmLongKernel.Run<TRounds, TDirection, TLanes, TVector>(list, burst.Count);
    }
}
