using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike;

/// <summary>
/// Our certificate with its private key. The certificates are the owner's to dispose of, when no endpoint uses them any more.
/// </summary>
public sealed class IkeCertificate : IkeAuthentication
{
    /// <summary>Takes a certificate.</summary>
    /// <param name="certificate">With its private key: ECDSA on P-256, P-384 or P-521, or RSA of at least 2048 bits.</param>
    /// <param name="intermediates">The certificates that are sent behind it, from its issuer up; the root need not be there.</param>
    /// <exception cref="ArgumentException">There is no private key.</exception>
    public IkeCertificate(X509Certificate2 certificate, IEnumerable<X509Certificate2>? intermediates = null)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (!certificate.HasPrivateKey)
            throw new ArgumentException(
                "The certificate has no private key: load it with its key, for example with X509Certificate2.CreateFromPemFile.", nameof(certificate));
        Certificate = certificate;
        Intermediates = [.. intermediates ?? []];
    }

    /// <summary>The certificate.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificates between it and the root, the nearest first.</summary>
    public IReadOnlyList<X509Certificate2> Intermediates { get; }
}
