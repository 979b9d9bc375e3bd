using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike;

/// <summary>
/// Whose certificates a peer may show. Its identity must be one of those in the certificate (subjectAltName, or the subject's name for a
/// distinguished name). The roots are the owner's to dispose of, when no endpoint uses them any more.
/// </summary>
public sealed class IkeCertificateTrust : IkeAuthentication
{
    /// <summary>Trusts the certificates that these issued, directly or not.</summary>
    /// <param name="roots">At least one. The system's own trust is not asked: it is for web servers.</param>
    /// <exception cref="ArgumentException">There is none.</exception>
    public IkeCertificateTrust(IEnumerable<X509Certificate2> roots)
    {
        ArgumentNullException.ThrowIfNull(roots);
        Roots = [.. roots];
        if (Roots.Count == 0)
            throw new ArgumentException("Without a root certificate nobody is trusted: name at least one.", nameof(roots));
    }

    /// <summary>The roots.</summary>
    public IReadOnlyList<X509Certificate2> Roots { get; }

    /// <summary>Whether and how revocation is looked up; not at all by default, since it blocks the control thread while it asks.</summary>
    public X509RevocationMode Revocation { get; init; } = X509RevocationMode.NoCheck;
}
