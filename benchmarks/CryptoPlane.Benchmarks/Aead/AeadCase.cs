using CryptoPlane.Aead;

namespace CryptoPlane.Benchmarks.Aead;

/// <summary>What a row of a table is about: all subjects do the same work.</summary>
internal sealed record AeadCase(AeadAlgorithm Algorithm, AeadDirection Direction, SizeMix Mix, int Burst = 32, int Keys = 1)
{
    public string AlgorithmName => Algorithm switch
    {
        AeadAlgorithm.Aes128Gcm => "aes-128-gcm",
        AeadAlgorithm.Aes256Gcm => "aes-256-gcm",
        _ => "chacha20-poly1305",
    };

    public string DirectionName => Direction == AeadDirection.Seal ? "seal" : "open";

    /// <summary>Slash-separated words of one of our subjects in this case, such as <c>managed/aes-128-gcm/seal/burst32/keys1</c>.</summary>
    public string NameOf(string backend, int burst)
    {
        string name = $"{backend}/{AlgorithmName}/{DirectionName}/burst{burst}/keys{Keys}";
        return Mix.Name == null ? name : $"{name}/{Mix.Name}";
    }

    public override string ToString() =>
        $"{AlgorithmName} {DirectionName}, {Mix.Name ?? $"{Mix.MeanBytes} B"}, burst {Burst}, {Keys} {(Keys == 1 ? "key" : "keys")}";
}
