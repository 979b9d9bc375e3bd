using System.Security.Cryptography;
using VpnBroker.OpenConnect.Strap;

namespace VpnBroker.Tests.OpenConnect.Strap;

/// <summary>The client's half of STRAP: a key with its private half.</summary>
internal sealed class StrapSigner : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public string PublicKey => Convert.ToBase64String(_key.ExportSubjectPublicKeyInfo());

    public string KeyHeader => $"{StrapKey.KeyHeader}: {PublicKey}\r\n";

    /// <summary>Signs for the next key on a connection.</summary>
    public string Sign(ReadOnlySpan<byte> binding, StrapSigner next)
    {
        byte[] content = [.. binding, .. next._key.ExportSubjectPublicKeyInfo()];
        return Convert.ToBase64String(_key.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    /// <summary>The headers of a CONNECT.</summary>
    public string Headers(ReadOnlySpan<byte> binding, StrapSigner next) => $"{StrapKey.ProofHeader}: {Sign(binding, next)}\r\n{next.KeyHeader}";

    public void Dispose() => _key.Dispose();
}
