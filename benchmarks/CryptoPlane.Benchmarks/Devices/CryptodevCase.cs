namespace CryptoPlane.Benchmarks.Devices;

/// <summary>What a row is about: AES-128-GCM, sealed in place in bursts with one key, by one driver.</summary>
/// <param name="Driver">A software driver of DPDK's, such as <c>crypto_aesni_gcm</c>.</param>
/// <param name="Bytes">Payload of one operation.</param>
internal sealed record CryptodevCase(string Driver, int Bytes)
{
    /// <summary>Operations of a burst.</summary>
    public const int Burst = 32;

    /// <summary>AAD of one operation: as much as ESP with extended sequence numbers has.</summary>
    public const int AadLength = 12;

    /// <summary>The name of the driver's first device.</summary>
    public string Device => Driver + "0";

    /// <summary>Slash-separated words for the JSON report.</summary>
    public string NameOf(string way) => $"cryptodev-{way}/{Driver}/aes-128-gcm/seal/burst{Burst}/keys1";

    public override string ToString() => $"{Driver}, {Bytes} B";
}
