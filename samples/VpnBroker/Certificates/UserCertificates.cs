using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls;
using VpnBroker.Configuration;

namespace VpnBroker.Certificates;

/// <summary>Users' certificates: what TLS asks for, and whose a certificate is.</summary>
public static class UserCertificates
{
    private const string CommonName = "2.5.4.3";

    /// <summary>Reads the roots and says how TLS asks for certificates.</summary>
    /// <returns>Null where the configuration has no such log-ins.</returns>
    /// <exception cref="ServerCertificateException">A file cannot be used; the message says what to do.</exception>
    public static TlsClientAuthentication? Load(UserCertificateConfig? config)
    {
        if (config is null)
            return null;
        var roots = new X509Certificate2Collection();
        foreach (string file in config.TrustFiles)
        {
            int before = roots.Count;
            try
            {
                roots.ImportFromPemFile(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
            {
                throw new ServerCertificateException($"the roots of users' certificates {file} cannot be read: {e.Message} (authentication.certificates.trustFiles)");
            }
            if (roots.Count == before)
                throw new ServerCertificateException($"{file} has no certificate in it: put the root of users' certificates there, in PEM (authentication.certificates.trustFiles)");
        }
        // A second factor is asked for before anything else is said: strangers never come to the forms.
        return new TlsClientAuthentication(roots) { IsRequired = !config.InsteadOfPassword };
    }

    /// <summary>The user that a certificate is for: its one common name.</summary>
    /// <param name="certificate">DER, verified.</param>
    /// <returns>Null if it has none or several, so that it is nobody's.</returns>
    public static string? UserOf(ReadOnlySpan<byte> certificate)
    {
        try
        {
            using X509Certificate2 loaded = X509CertificateLoader.LoadCertificate(certificate);
            string? name = null;
            foreach (X500RelativeDistinguishedName part in loaded.SubjectName.EnumerateRelativeDistinguishedNames())
            {
                if (part.HasMultipleElements)
                    return null;
                if (part.GetSingleElementType().Value != CommonName)
                    continue;
                if (name is not null)
                    return null;
                name = part.GetSingleElementValue();
            }
            return name;
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
