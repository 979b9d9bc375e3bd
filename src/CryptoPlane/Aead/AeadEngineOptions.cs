namespace CryptoPlane.Aead;

/// <summary>How <see cref="AeadEngine.CreateDefault(AeadEngineOptions?)"/> chooses its backends.</summary>
/// <remarks>
/// Two more environment variables are for operators and tests: <c>CRYPTOPLANE_AEAD_TIER</c> names a tier of the native kernels
/// (<c>vaes512</c>, <c>vaes256</c>, <c>aesni512</c>, <c>aesni</c>) instead of the fastest, and <c>CRYPTOPLANE_AEAD_LIBRARY</c> the native
/// library's file.
/// </remarks>
public sealed class AeadEngineOptions
{
    /// <summary>The environment variable that overrides <see cref="Backend"/>: <c>auto</c>, <c>native</c>, <c>managed</c> or <c>portable</c>.</summary>
    public const string EnvironmentVariable = "CRYPTOPLANE_AEAD";

    /// <summary>The choice, where the environment variable is not set.</summary>
    public AeadBackendChoice Backend { get; init; } = AeadBackendChoice.Auto;

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
}
