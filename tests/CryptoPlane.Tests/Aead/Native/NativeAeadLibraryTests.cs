using CryptoPlane.Aead;
using CryptoPlane.Aead.Native;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Native;

public sealed unsafe class NativeAeadLibraryTests
{
    private static NativeAeadLibrary Library
    {
        get
        {
            Requirement.That(NativeAeadLibrary.Default != null, $"no native kernels: {NativeAeadLibrary.Problem} (run eng/build-native.sh)");
            return NativeAeadLibrary.Default!;
        }
    }

    [Fact]
    public void The_fastest_tier_of_this_cpu_is_taken_unless_another_is_named()
    {
        NativeAeadTier[] supported = [.. Library.Tiers.Where(tier => tier.IsSupported)];
        Requirement.That(supported.Length > 0, "the CPU lacks AES-NI, PCLMULQDQ, AVX2 or BMI2");
        Assert.Equal(supported, Library.Select(null));
        Assert.Equal(supported, Library.Select("auto"));
        foreach (NativeAeadTier tier in supported)
            Assert.Same(tier, Assert.Single(Library.Select(tier.Name.ToUpperInvariant())));
    }

    [Fact]
    public void A_tier_that_is_not_there_is_an_error_that_lists_those_that_are()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Library.Select("vaes1024"));
        Assert.Contains("vaes1024", error.Message, StringComparison.Ordinal);
        foreach (NativeAeadTier tier in Library.Tiers)
        {
            Assert.Contains(tier.Name, error.Message, StringComparison.Ordinal);
            if (!tier.IsSupported)
                Assert.Contains(tier.Instructions, Assert.Throws<InvalidOperationException>(() => Library.Select(tier.Name)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(AeadAlgorithm.Aes128Gcm)]
    [InlineData(AeadAlgorithm.Aes256Gcm)]
    [InlineData(AeadAlgorithm.ChaCha20Poly1305)]
    public void Managed_and_native_code_expand_a_key_to_the_same_bytes(AeadAlgorithm algorithm)
    {
        Requirement.That(AeadBackends.IsManagedSupported, "the CPU lacks AES-NI, PCLMULQDQ or SSSE3");
        NativeAeadLibrary library = Library;
        byte[] raw = new byte[AeadSizes.Key(algorithm)];
        new Random(7).NextBytes(raw);
        using AeadKey key = AeadKey.Create(algorithm, raw);
        AeadKeyBlock expected = *key.Handle.Block;

        AeadKeyBlock* block = key.Handle.Block;
        new Span<byte>(block->HashPowers, AeadKeyBlock.HeaderOffset).Clear();
        new Span<byte>(block->RoundKeys, AeadKeyBlock.NativeSize - AeadKeyBlock.RoundKeysOffset).Clear();
        Assert.True(library.TryExpandKey(block));
        Assert.True(new ReadOnlySpan<byte>(block, AeadKeyBlock.SizeInBytes).SequenceEqual(new ReadOnlySpan<byte>(&expected, AeadKeyBlock.SizeInBytes)));
    }

    [Fact]
    public void A_library_that_is_missing_is_a_reason_in_words()
    {
        using var directory = new TemporaryDirectory();
        Assert.Null(NativeAeadLibrary.TryLoad(directory.File("libcryptoplane_aead.so"), out string problem));
        Assert.Contains("cannot be loaded", problem, StringComparison.Ordinal);
        Assert.Null(NativeAeadLibrary.TryLoad("libcryptoplane_aead.so", out problem));
        Assert.Contains("not an absolute path", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_no_library_or_somebody_elses_is_not_taken()
    {
        using var directory = new TemporaryDirectory();
        string text = directory.File("text.so");
        File.WriteAllText(text, "not a library");
        Assert.Null(NativeAeadLibrary.TryLoad(text, out string problem));
        Assert.Contains("cannot be loaded", problem, StringComparison.Ordinal);

        using var fake = new FakeLibrary();
        string other = fake.Compile("other", "int something_else(void) { return 1; }");
        Assert.Null(NativeAeadLibrary.TryLoad(other, out problem));
        Assert.Contains("not CryptoPlane's", problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void A_library_of_another_version_is_not_taken(int abi)
    {
        using var fake = new FakeLibrary();
        string library = fake.Compile($"abi{abi}", $"unsigned cp_aead_abi(void) {{ return {abi}; }}");
        Assert.Null(NativeAeadLibrary.TryLoad(library, out string problem));
        Assert.Contains($"interface {abi}, and this assembly needs 1", problem, StringComparison.Ordinal);
    }
}
