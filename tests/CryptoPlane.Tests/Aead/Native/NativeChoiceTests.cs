using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead.Native;

/// <summary>What becomes of the choice where the native library is missing, old or wrong.</summary>
public sealed class NativeChoiceTests : IDisposable
{
    /// <summary>Right but for one bit of one long message.</summary>
    private const string WrongBit =
        "real(operations, count); for (size_t i = 0; i < count; i++) if (operations[i].length == 1408) operations[i].destination[700] ^= 1;";

    private readonly FakeLibrary _fake = new();
    private readonly List<string> _log = [];

    public void Dispose() => _fake.Dispose();

    [Fact]
    public void A_missing_library_leaves_the_managed_kernels_and_says_so()
    {
        using AeadEngine engine = Auto("/nonexistent/libcryptoplane_aead.so");
        Assert.StartsWith(WithoutNative, engine.Description, StringComparison.Ordinal);
        Assert.Contains("/nonexistent/libcryptoplane_aead.so cannot be loaded", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_of_another_version_leaves_the_managed_kernels_and_says_so()
    {
        using AeadEngine engine = Auto(_fake.Compile("old", "unsigned cp_aead_abi(void) { return 0; }"));
        Assert.StartsWith(WithoutNative, engine.Description, StringComparison.Ordinal);
        Assert.Contains("interface 0, and this assembly needs 1", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_without_all_its_functions_leaves_the_managed_kernels()
    {
        using AeadEngine engine = Auto(_fake.Compile("part", "unsigned cp_aead_abi(void) { return 1; }"));
        Assert.StartsWith(WithoutNative, engine.Description, StringComparison.Ordinal);
        Assert.Contains("lacks functions of interface 1", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public void Forcing_a_library_that_is_missing_is_an_exception_that_says_what_to_do()
    {
        var error = Assert.Throws<PlatformNotSupportedException>(
            () => AeadBackends.Create(AeadBackendChoice.Native, null, "/nonexistent/libcryptoplane_aead.so", _log.Add));
        Assert.Contains("eng/build-native.sh", error.Message, StringComparison.Ordinal);
        Assert.Contains("CRYPTOPLANE_AEAD_LIBRARY", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_library_that_computes_wrongly_is_not_used()
    {
        string library = _fake.CompileTiers("wrong", WrongBit);
        using AeadEngine engine = Auto(library);
        Assert.StartsWith(WithoutNative, engine.Description, StringComparison.Ordinal);
        Assert.Contains("not what OpenSSL seals", Assert.Single(_log), StringComparison.Ordinal);
        Assert.Throws<AeadSelfTestException>(() => AeadBackends.Create(AeadBackendChoice.Native, null, library, _log.Add));
        Assert.Throws<AeadSelfTestException>(() => AeadBackends.Create(AeadBackendChoice.Native, "fake", library, _log.Add));
    }

    [Fact]
    public void The_next_tier_is_taken_where_the_first_computes_wrongly()
    {
        string library = _fake.CompileTiers("second", WrongBit, withReal: true);
        using AeadEngine engine = Auto(library);
        Assert.StartsWith("native: ", engine.Description, StringComparison.Ordinal);
        Assert.DoesNotContain("fake", engine.Description, StringComparison.Ordinal);
        Assert.Contains("The AEAD tier fake must not be used", Assert.Single(_log), StringComparison.Ordinal);
    }

    [Fact]
    public void A_tier_without_chacha_leaves_it_to_libcrypto()
    {
        const string GcmOnly = """
            for (size_t i = 0; i < count; i++) {
                if (operations[i].key->algorithm == CP_AEAD_CHACHA20_POLY1305) operations[i].status = CP_AEAD_INVALID_OPERATION;
                else real(operations + i, 1);
            }
            """;
        using AeadEngine engine = Auto(_fake.CompileTiers("gcm", GcmOnly));
        Assert.Empty(_log);
        Assert.StartsWith("native: AES-GCM in bursts by tier fake (nothing); portable: ", engine.Description, StringComparison.Ordinal);
        using AeadKey gcm = AeadKey.Create(AeadAlgorithm.Aes128Gcm, new byte[16]), chacha = AeadKey.Create(AeadAlgorithm.ChaCha20Poly1305, new byte[32]);
        Assert.True(engine.TryAttachKey(gcm.Handle) && engine.TryAttachKey(chacha.Handle));
        unsafe
        {
            Assert.Equal(AeadBackendKind.Native, gcm.Handle.Block->Backend);
            Assert.Equal(AeadBackendKind.Portable, chacha.Handle.Block->Backend);
        }
    }

    [Fact]
    public void A_tier_that_does_not_exist_is_an_exception_even_where_the_choice_is_free()
    {
        string library = _fake.CompileTiers("names", WrongBit, withReal: true);
        var error = Assert.Throws<InvalidOperationException>(() => AeadBackends.Create(AeadBackendChoice.Auto, "vaes1024", library, _log.Add));
        Assert.Contains("There are: fake, ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_named_tier_is_in_the_description()
    {
        Requirement.That(AeadBackends.IsNativeSupported, "no native kernels (run eng/build-native.sh)");
        Assert.Equal(("aesni", ", the tier by CRYPTOPLANE_AEAD_TIER"), new AeadEngineOptions { NativeTier = "vaes512" }.ResolveTier("aesni"));
        Assert.Equal(("vaes512", ", the tier by option"), new AeadEngineOptions { NativeTier = "vaes512" }.ResolveTier(""));
        Assert.Equal((null, ""), new AeadEngineOptions().ResolveTier(null));
        Assert.Equal("/a", new AeadEngineOptions { NativeLibrary = "/b" }.ResolveLibrary("/a"));
        Assert.Equal("/b", new AeadEngineOptions { NativeLibrary = "/b" }.ResolveLibrary(""));
        using AeadEngine engine = AeadEngine.CreateDefault(new AeadEngineOptions { NativeTier = "aesni" });
        Assert.Contains("by tier aesni (", engine.Description, StringComparison.Ordinal);
        Assert.EndsWith("the tier by option)", engine.Description, StringComparison.Ordinal);
    }

    private static string WithoutNative => AeadBackends.IsManagedSupported ? "managed: " : "portable: ";

    private AeadEngine Auto(string library) => new(AeadBackends.Create(AeadBackendChoice.Auto, null, library, _log.Add));
}
