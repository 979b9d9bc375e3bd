namespace CryptoPlane.Aead;

/// <summary>How <see cref="AeadEngine.CreateDefault(AeadEngineOptions?)"/> chooses its backends.</summary>
public sealed class AeadEngineOptions
{
    /// <summary>The environment variable that overrides <see cref="Backend"/>: <c>auto</c>, <c>managed</c> or <c>portable</c>.</summary>
    public const string EnvironmentVariable = "CRYPTOPLANE_AEAD";

    /// <summary>The choice, where the environment variable is not set.</summary>
    public AeadBackendChoice Backend { get; init; } = AeadBackendChoice.Auto;

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
            "managed" => AeadBackendChoice.Managed,
            "portable" => AeadBackendChoice.Portable,
            _ => throw new InvalidOperationException($"{EnvironmentVariable} is '{forced}': set it to auto, managed or portable, or unset it."),
        };
        return (choice, choice == AeadBackendChoice.Auto ? "chosen by CPU" : $"chosen by {EnvironmentVariable}");
    }
}
