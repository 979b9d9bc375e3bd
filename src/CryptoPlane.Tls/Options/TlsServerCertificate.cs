using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls;

/// <summary>A server's certificate with its private key and its intermediates, made ready once for any number of connections on any thread.</summary>
public sealed class TlsServerCertificate
{
    private readonly bool[] _supported;

    /// <summary>Makes a certificate ready.</summary>
    /// <param name="certificate">With its private key: ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits. It stays the caller's, and must live as long as this object is used.</param>
    /// <param name="intermediates">The certificates between it and the root, the issuer first, without the root; sent as they are.</param>
    /// <exception cref="ArgumentException">The private key is missing, or of a kind that TLS 1.3 cannot sign with here.</exception>
    public TlsServerCertificate(X509Certificate2 certificate, IEnumerable<X509Certificate2>? intermediates = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!certificate.HasPrivateKey)
            throw new ArgumentException("The certificate has no private key: load it with its key, for example with X509Certificate2.CreateFromPemFile.", nameof(certificate));
        _supported = [.. TlsSignatureSchemes.Default.Select(scheme => CertificateSignature.Supports(certificate, scheme.Algorithm()))];
        if (!_supported.Contains(true))
            throw new ArgumentException("The certificate's key is neither ECDSA on P-256, P-384 or P-521 nor RSA of at least 2048 bits.", nameof(certificate));
        Certificate = certificate;
        Chain = [certificate.RawData, .. (intermediates ?? []).Select(intermediate => intermediate.RawData)];
    }

    /// <summary>The server's own certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>DER, the own certificate first.</summary>
    internal IReadOnlyList<byte[]> Chain { get; }

    /// <summary>Whether the certificate's key can sign with a scheme.</summary>
    internal bool Supports(TlsSignatureScheme scheme)
    {
        for (int i = 0; i < _supported.Length; i++)
        {
            if (TlsSignatureSchemes.Default[i] == scheme)
                return _supported[i];
        }
        return false;
    }
}
