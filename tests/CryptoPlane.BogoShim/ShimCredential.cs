namespace CryptoPlane.BogoShim;

/// <summary>What the flags say of one certificate. Names are those of the flags.</summary>
internal sealed class ShimCredential
{
    public string? CertFile { get; set; }
    public string? KeyFile { get; set; }
    public byte[]? OcspResponse { get; set; }
}
