using CryptoPlane.Aead.Native;

namespace CryptoPlane.Aead;

/// <summary>How <see cref="AeadEngine.CreateDefault(AeadEngineOptions?)"/> chooses its backends.</summary>
/// <remarks>
/// Operators have the last word: the environment variables <c>CRYPTOPLANE_AEAD</c>, <c>CRYPTOPLANE_AEAD_TIER</c> and
/// <c>CRYPTOPLANE_AEAD_LIBRARY</c> override <see cref="Backend"/>, <see cref="NativeTier"/> and <see cref="NativeLibrary"/>.
/// </remarks>
public sealed class AeadEngineOptions
{
    /// <summary>The environment variable that overrides <see cref="Backend"/>: <c>auto</c>, <c>native</c>, <c>managed</c> or <c>portable</c>.</summary>
    public const string EnvironmentVariable = "CRYPTOPLANE_AEAD";

    /// <summary>The choice, where the environment variable is not set.</summary>
    public AeadBackendChoice Backend { get; init; } = AeadBackendChoice.Auto;

    /// <summary>
    /// The tier of the native kernels (<c>vaes512</c>, <c>vaes256</c>, <c>aesni512</c>, <c>aesni</c>); null or <c>auto</c> for the fastest that
    /// the CPU has. One that does not exist, or that the CPU lacks, is an exception.
    /// </summary>
    public string? NativeTier { get; init; }

    /// <summary>The native library's file, an absolute path; null to look beside the assembly and in its package.</summary>
    public string? NativeLibrary { get; init; }

    /// <summary>
    /// Receives a line for the log where a backend that would be faster cannot be used: the native library is missing or of another version,
    /// or a self-test failed. Once per process and reason.
    /// </summary>
    public Action<string>? Log { get; init; }

    /// <summary>The choice that holds, and who made it, for people.</summary>
    /// <param name="forced">The value of <see cref="EnvironmentVariable"/>.</param>
    /// <exception cref="InvalidOperationException">The value is none of the choices.</exception>
    internal (AeadBackendChoice Choice, string Reason) Resolve(string? forced)
    {
        if (string.IsNullOrEmpty(forced))
            return (Backend, Backend == AeadBackendChoice.Auto ? "chosen by CPU" : "chosen by option");
        AeadBackendChoice choice = forced.ToLowerInvariant() switch
        {
            "auto" => AeadBackendChoice.Auto,
            "native" => AeadBackendChoice.Native,
            "managed" => AeadBackendChoice.Managed,
            "portable" => AeadBackendChoice.Portable,
            _ => throw new InvalidOperationException($"{EnvironmentVariable} is '{forced}': set it to auto, native, managed or portable, or unset it."),
        };
        return (choice, choice == AeadBackendChoice.Auto ? "chosen by CPU" : $"chosen by {EnvironmentVariable}");
    }

    /// <summary>The native tier that holds, and who named it, for people.</summary>
    /// <param name="forced">The value of the environment variable.</param>
    internal (string? Tier, string Reason) ResolveTier(string? forced)
    {
        if (!string.IsNullOrEmpty(forced))
            return (forced, $", the tier by {NativeAeadLibrary.TierVariable}");
        return (NativeTier, string.IsNullOrEmpty(NativeTier) ? "" : ", the tier by option");
    }

    /// <summary>The native library's file that holds.</summary>
    /// <param name="forced">The value of the environment variable.</param>
    internal string? ResolveLibrary(string? forced) => string.IsNullOrEmpty(forced) ? NativeLibrary : forced;
}
