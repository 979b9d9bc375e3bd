using CryptoPlane.Aead;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Aead;

public sealed class AeadBackendsTests
{
    [Fact]
    public void The_best_that_is_there_comes_first()
    {
        AeadBackendKind[] kinds = [.. AeadBackends.Create(AeadBackendChoice.Auto, tier: null, library: null, log: null).Select(backend => backend.Kind)];
        AeadBackendKind best = AeadBackends.IsNativeSupported ? AeadBackendKind.Native
            : AeadBackends.IsManagedSupported ? AeadBackendKind.Managed
            : AeadBackendKind.Portable;
        Assert.Equal(best == AeadBackendKind.Portable ? [best] : [best, AeadBackendKind.Portable], kinds);
    }

    [Fact]
    public void A_choice_is_a_choice()
    {
        Requirement.That(AeadBackends.IsNativeSupported, "no native kernels (run eng/build-native.sh)");
        Assert.Equal(AeadBackendKind.Native, AeadBackends.Create(AeadBackendChoice.Native, null, null, null)[0].Kind);
        Assert.Equal(AeadBackendKind.Managed, AeadBackends.Create(AeadBackendChoice.Managed, null, null, null)[0].Kind);
        Assert.Equal(AeadBackendKind.Portable, Assert.Single(AeadBackends.Create(AeadBackendChoice.Portable, null, null, null)).Kind);
        Assert.Throws<InvalidOperationException>(() => AeadBackends.Create(AeadBackendChoice.Native, "nothing", null, null));
    }

    [Fact]
    public void The_description_says_what_was_chosen_and_by_whom()
    {
        Requirement.That(AeadBackends.IsNativeSupported, "no native kernels (run eng/build-native.sh)");
        using AeadEngine engine = AeadEngine.CreateDefault(new AeadEngineOptions { Backend = AeadBackendChoice.Native });
        Assert.Matches(@"^native: AES-GCM and ChaCha20-Poly1305 in bursts by tier \w+ \(.*AES.*\); portable: .* \(chosen by option\)$", engine.Description);
    }

    [Fact]
    public void What_cannot_be_used_is_one_line_in_the_log_and_the_next_one_is_taken()
    {
        var log = new List<string>();
        Action<string> once = LogOnce.To(log.Add)!;
        for (int i = 0; i < 3; i++)
            Assert.Null(AeadBackends.TryCreate(() => throw new PlatformNotSupportedException("no native AEAD kernels: a test"), once));
        Assert.Equal(["no native AEAD kernels: a test"], log);
        Assert.Null(LogOnce.To(null));
    }
}
