using System.Security.Cryptography;

namespace CryptoPlane.BogoShim;

/// <summary>What the flags say of one certificate, or of one key from elsewhere. Names are those of the flags.</summary>
internal sealed class ShimCredential
{
    public string? CertFile { get; set; }
    public string? KeyFile { get; set; }
    public byte[]? OcspResponse { get; set; }
    public byte[]? Key { get; set; }
    public HashAlgorithmName KeyHash { get; set; }
    public byte[] KeyIdentity { get; set; } = [];
    public byte[] KeyContext { get; set; } = [];
}
