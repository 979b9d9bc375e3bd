using CryptoPlane.Aead;
using CryptoPlane.Aead.Managed;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Managed;

/// <summary>A burst gives what its operations give one by one, whatever the mix.</summary>
public sealed unsafe class GcmPlanTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(300)]
    public void A_mixed_burst_does_what_single_operations_do(int count)
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        var random = new Random(count);
        using var burst = new ManagedBurst(count);
        for (int i = 0; i < count; i++)
        {
            burst.Add(
                random.Next(2) == 0 ? AeadAlgorithm.Aes128Gcm : AeadAlgorithm.Aes256Gcm,
                random.Next(2) == 0 ? AeadDirection.Seal : AeadDirection.Open,
                random.Next(random.Next(2) == 0 ? 80 : 700),
                random.Next(4) == 0 ? random.Next(40) : 12);
        }
        byte[][] texts = burst.Texts;
        for (int i = 0; i < count; i++)
            GcmPlan.Run(burst.Operations + i, 1, GhashTier.Lanes128);
        byte[][] expected = burst.Texts;
        AeadStatus[] statuses = burst.Statuses;

        burst.Texts = texts;
        for (int i = 0; i < count; i++)
            burst.Operations[i].Status = AeadStatus.Pending;
        GcmPlan.Run(burst.Operations, count, GhashTier.Lanes128);
        Assert.Equal(expected, burst.Texts);
        Assert.Equal(statuses, burst.Statuses);
        Assert.DoesNotContain(AeadStatus.Pending, statuses);
    }

    [Fact]
    public void Messages_of_one_shape_run_together_and_open_again()
    {
        Requirement.That(ManagedBackend.IsSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        for (int length = 0; length <= 128; length += 4)
        {
            for (int count = 1; count <= 5; count++)
            {
                using var burst = new ManagedBurst(count);
                for (int i = 0; i < count; i++)
                    burst.Add(AeadAlgorithm.Aes128Gcm, AeadDirection.Seal, length, 8);
                byte[][] texts = burst.Texts;
                GcmPlan.Run(burst.Operations, count, GhashTier.Lanes128);
                burst.Direction = AeadDirection.Open;
                GcmPlan.Run(burst.Operations, count, GhashTier.Lanes128);
                Assert.Equal(texts.Select(text => text[..length]), burst.Texts.Select(text => text[..length]));
                Assert.All(burst.Statuses, status => Assert.Equal(AeadStatus.Success, status));
            }
        }
    }
}
