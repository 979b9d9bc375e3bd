using CryptoPlane.Aead;

namespace CryptoPlane.Tests.Aead;

public sealed class AeadEngineOptionsTests
{
    [Theory]
    [InlineData(null, AeadBackendChoice.Auto, AeadBackendChoice.Auto, "chosen by CPU")]
    [InlineData("", AeadBackendChoice.Portable, AeadBackendChoice.Portable, "chosen by option")]
    [InlineData("portable", AeadBackendChoice.Managed, AeadBackendChoice.Portable, "chosen by CRYPTOPLANE_AEAD")]
    [InlineData("native", AeadBackendChoice.Portable, AeadBackendChoice.Native, "chosen by CRYPTOPLANE_AEAD")]
    [InlineData("Managed", AeadBackendChoice.Auto, AeadBackendChoice.Managed, "chosen by CRYPTOPLANE_AEAD")]
    [InlineData("auto", AeadBackendChoice.Portable, AeadBackendChoice.Auto, "chosen by CPU")]
    public void The_environment_overrides_the_option(string? forced, AeadBackendChoice option, AeadBackendChoice expected, string reason)
    {
        Assert.Equal((expected, reason), new AeadEngineOptions { Backend = option }.Resolve(forced));
    }

    [Fact]
    public void An_unknown_value_says_what_to_set()
    {
        var error = Assert.Throws<InvalidOperationException>(() => new AeadEngineOptions().Resolve("fast"));
        Assert.Contains("managed or portable", error.Message, StringComparison.Ordinal);
    }
}
