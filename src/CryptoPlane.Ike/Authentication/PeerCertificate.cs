using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Authentication;

/// <summary>
/// Checks the certificates that a peer sent: a chain to one of the configured roots, its validity, and that the certificate is for IKE and
/// for the identity (RFC 4945). Neither the system's roots nor the network are asked, except for revocation where that is configured.
/// </summary>
internal static class PeerCertificate
{
    /// <summary>Most CERT payloads of a peer.</summary>
    public const int MaxCertificates = 16;

    private const int MaxChainLength = 8;

    // RFC 5280 §4.2.1.12 (any, server, client), RFC 4945 §5.1.3.12 (IKE), and the older numbers for IPsec that gateways still use.
    private static readonly string[] s_usages =
    [
        "2.5.29.37.0", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.17", "1.3.6.1.5.5.7.3.5", "1.3.6.1.5.5.7.3.6", "1.3.6.1.5.5.7.3.7",
        "1.3.6.1.5.5.8.2.2",
    ];

    // SHA-2 with RSA (both paddings) or ECDSA, Ed25519, Ed448.
    private static readonly string[] s_signatures =
    [
        "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13", "1.2.840.10045.4.3.2", "1.2.840.10045.4.3.3",
        "1.2.840.10045.4.3.4", "1.3.101.112", "1.3.101.113",
    ];

    /// <summary>Checks a peer's certificates.</summary>
    /// <param name="payloads">The CERT payloads, the peer's own certificate first (RFC 7296 §3.6).</param>
    /// <param name="trust">The roots.</param>
    /// <param name="identity">Who the peer says to be.</param>
    /// <param name="now">The time of day.</param>
    /// <param name="certificate">The peer's own certificate, for the caller to dispose of; null unless it is trusted.</param>
    public static PeerCertificateStatus Check(
        IReadOnlyList<CertificatePayload> payloads, IkeCertificateTrust trust, IkeIdentity identity, DateTimeOffset now, out X509Certificate2? certificate)
    {
        certificate = null;
        if (payloads.Count > MaxCertificates)
            return PeerCertificateStatus.TooMany;
        List<X509Certificate2> sent = [];
        try
        {
            foreach (CertificatePayload payload in payloads)
            {
                // RFC 7296 §3.6: others (revocation lists, URLs) are not asked for, and not looked at.
                if (payload.Encoding != CertificateEncoding.X509Signature)
                    continue;
                if (!TryLoad(payload.Data, out X509Certificate2? loaded))
                    return PeerCertificateStatus.Malformed;
                sent.Add(loaded!);
            }
            if (sent.Count == 0)
                return PeerCertificateStatus.Missing;
            PeerCertificateStatus status = CheckChain(sent, trust, now);
            if (status == PeerCertificateStatus.Trusted)
                status = CheckLeaf(sent[0], identity);
            if (status == PeerCertificateStatus.Trusted)
            {
                certificate = sent[0];
                sent.RemoveAt(0);
            }
            return status;
        }
        finally
        {
            sent.ForEach(one => one.Dispose());
        }
    }

    private static bool TryLoad(byte[] data, out X509Certificate2? certificate)
    {
        certificate = null;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(data);
        }
        catch (CryptographicException)
        {
            return false;
        }
        // The loader takes PEM too; on the wire is DER, with nothing behind it.
        if (certificate.RawData.AsSpan().SequenceEqual(data))
            return true;
        certificate.Dispose();
        certificate = null;
        return false;
    }

    private static PeerCertificateStatus CheckChain(List<X509Certificate2> sent, IkeCertificateTrust trust, DateTimeOffset now)
    {
        using X509Chain chain = new();
        X509ChainPolicy policy = chain.ChainPolicy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(trust.Roots.ToArray());
        policy.ExtraStore.AddRange(sent.Skip(1).ToArray());
        policy.DisableCertificateDownloads = true;
        policy.RevocationMode = trust.Revocation;
        policy.VerificationTimeIgnored = false;
        policy.VerificationTime = now.UtcDateTime;
        try
        {
            bool built;
            try
            {
                built = chain.Build(sent[0]);
            }
            catch (CryptographicException)
            {
                return PeerCertificateStatus.Malformed;
            }
            return built ? CheckElements(chain) : Explain(chain);
        }
        finally
        {
            foreach (X509ChainElement element in chain.ChainElements)
                element.Certificate.Dispose();
        }
    }

    /// <summary>What X509Chain leaves to its user.</summary>
    private static PeerCertificateStatus CheckElements(X509Chain chain)
    {
        X509ChainElementCollection elements = chain.ChainElements;
        if (elements.Count > MaxChainLength)
            return PeerCertificateStatus.Untrusted;
        for (int i = 0; i < elements.Count; i++)
        {
            X509Certificate2 certificate = elements[i].Certificate;
            // A root is trusted for itself, not for its signature.
            if (i < elements.Count - 1 && !s_signatures.Contains(certificate.SignatureAlgorithm.Value))
                return PeerCertificateStatus.Weak;
            if (certificate.PublicKey.Oid.Value == "1.2.840.113549.1.1.1" && CertificateKeys.Of(certificate) == CertificateKey.Unusable)
                return PeerCertificateStatus.Weak;
        }
        return PeerCertificateStatus.Trusted;
    }

    private static PeerCertificateStatus Explain(X509Chain chain)
    {
        X509ChainStatusFlags all = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in chain.ChainStatus)
            all |= status.Status;
        if ((all & ~X509ChainStatusFlags.NotTimeValid) == 0)
            return PeerCertificateStatus.NotTimeValid;
        const X509ChainStatusFlags Revocation = X509ChainStatusFlags.Revoked | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation;
        return (all & ~Revocation) == 0 ? PeerCertificateStatus.Revoked : PeerCertificateStatus.Untrusted;
    }

    private static PeerCertificateStatus CheckLeaf(X509Certificate2 certificate, IkeIdentity identity)
    {
        if (CertificateKeys.Of(certificate) == CertificateKey.Unusable)
            return PeerCertificateStatus.Weak;
        try
        {
            // RFC 4945 §5.1.3.2: a key usage must have digitalSignature or nonRepudiation; §5.1.3.12: an extended key usage must fit.
            foreach (X509Extension extension in certificate.Extensions)
            {
                if (extension is X509KeyUsageExtension usage
                    && (usage.KeyUsages & (X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.NonRepudiation)) == 0)
                    return PeerCertificateStatus.WrongUsage;
                if (extension is X509EnhancedKeyUsageExtension extended
                    && !extended.EnhancedKeyUsages.Cast<Oid>().Any(oid => s_usages.Contains(oid.Value)))
                    return PeerCertificateStatus.WrongUsage;
            }
        }
        catch (CryptographicException)
        {
            return PeerCertificateStatus.Malformed;
        }
        return CertificateNames.Include(certificate, identity) ? PeerCertificateStatus.Trusted : PeerCertificateStatus.OtherIdentity;
    }
}
