using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>
/// Everything a client verifies about its server: the CertificateVerify signature, then pins, chain, dates, usage and name.
/// </summary>
/// <param name="options">Whom the client wants to reach and trusts.</param>
/// <param name="chain">What the server sent, its own certificate first; at least one.</param>
/// <param name="scheme">One of the schemes that the client offered.</param>
/// <param name="content">What the signature is over.</param>
/// <param name="signature">The server's signature.</param>
internal sealed class ServerCertificateVerification(TlsClientOptions options, byte[][] chain, TlsSignatureScheme scheme, byte[] content, byte[] signature)
    : TlsPendingWork(TlsStatus.NeedsCertificateVerification)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    private X509Certificate2? _certificate;

    /// <summary>Hands the server's certificate over; the caller disposes of it.</summary>
    public X509Certificate2? TakeCertificate()
    {
        X509Certificate2? certificate = _certificate;
        _certificate = null;
        return certificate;
    }

    private protected override TlsError? Run()
    {
        var others = new X509Certificate2Collection();
        try
        {
            _certificate = Load(chain[0]);
            foreach (byte[] der in chain.AsSpan(1))
            {
                if (Load(der) is { } other)
                    others.Add(other);
            }
            if (_certificate is null || others.Count != chain.Length - 1)
                return TlsError.Rejected(TlsAlert.BadCertificate, "The server sent a certificate that cannot be decoded.");
            return VerifySignature(_certificate) ?? VerifyTrust(_certificate, others);
        }
        finally
        {
            foreach (X509Certificate2 other in others)
                other.Dispose();
        }
    }

    private TlsError? VerifySignature(X509Certificate2 certificate)
    {
        // RFC 8446 §4.4.3: the scheme must be one for the key in the certificate.
        if (!CertificateSignature.Supports(certificate, scheme.Algorithm()))
            return TlsError.Illegal("The server's signature scheme is not one for its certificate's key, or the key is too weak.");
        return CertificateSignature.Verify(certificate, scheme.Algorithm(), content, signature)
            ? null
            : TlsError.Misbehaved(TlsAlert.DecryptError, "The server's CertificateVerify signature is wrong.");
    }

    private TlsError? VerifyTrust(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        if (options.PinnedKeys.Count != 0)
        {
            byte[] digest = SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());
            if (!options.PinnedKeys.Any(pin => pin.AsSpan().SequenceEqual(digest)))
                return TlsError.Rejected(TlsAlert.CertificateUnknown, "The server's key is none of the pinned ones.");
            if (options.TrustPinnedKeysAlone)
                return null;
        }
        if (VerifyChain(certificate, others) is { } error)
            return error;
        return certificate.MatchesHostname(options.ServerName, allowWildcards: true, allowCommonName: false)
            ? null
            : TlsError.Rejected(TlsAlert.CertificateUnknown, $"The server's certificate is not for '{options.ServerName}'.");
    }

    private TlsError? VerifyChain(X509Certificate2 certificate, X509Certificate2Collection others)
    {
        using var builder = new X509Chain();
        X509ChainPolicy policy = builder.ChainPolicy;
        policy.RevocationMode = options.RevocationMode;
        policy.RevocationFlag = X509RevocationFlag.ExcludeRoot;
        // The peer's certificate must not make this side fetch addresses of the peer's choice.
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        policy.ExtraStore.AddRange(others);
        if (options.TrustedRoots is { } roots)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }
        bool valid = builder.Build(certificate);
        X509ChainStatusFlags problems = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in builder.ChainStatus)
            problems |= status.Status;
        foreach (X509ChainElement element in builder.ChainElements)
            element.Certificate.Dispose();
        return valid ? null : TlsError.Rejected(AlertFor(problems), $"The server's certificate chain is not valid: {problems}.");
    }

    private static TlsAlert AlertFor(X509ChainStatusFlags problems)
    {
        if (problems.HasFlag(X509ChainStatusFlags.Revoked))
            return TlsAlert.CertificateRevoked;
        if ((problems & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
            return TlsAlert.UnknownCa;
        if (problems.HasFlag(X509ChainStatusFlags.NotSignatureValid))
            return TlsAlert.BadCertificate;
        if (problems.HasFlag(X509ChainStatusFlags.NotTimeValid))
            return TlsAlert.CertificateExpired;
        return problems.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? TlsAlert.UnsupportedCertificate : TlsAlert.CertificateUnknown;
    }

    private static X509Certificate2? Load(byte[] der)
    {
        // RFC 8446 §4.4.2: DER, in one piece. The loader would take PEM and trailing bytes as well.
        if (!AsnDecoder.TryReadEncodedValue(der, AsnEncodingRules.DER, out Asn1Tag tag, out _, out _, out int consumed)
            || tag != Asn1Tag.Sequence || consumed != der.Length)
            return null;
        try
        {
            return X509CertificateLoader.LoadCertificate(der);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    protected override void Dispose(bool disposing) => _certificate?.Dispose();
}
