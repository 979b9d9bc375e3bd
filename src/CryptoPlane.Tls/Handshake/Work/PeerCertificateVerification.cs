using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Handshake.Resumption;
using X509PublicKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.Tls.Handshake;

/// <summary>What either side verifies about the other: what its key may be used for, the CertificateVerify signature, and then the trust in the certificate.</summary>
/// <param name="peer">Who it is, for sentences.</param>
/// <param name="chain">What the peer sent, its own certificate first; at least one.</param>
/// <param name="scheme">One of the schemes that this side offered.</param>
/// <param name="content">What the signature is over.</param>
/// <param name="signature">The peer's signature.</param>
internal abstract class PeerCertificateVerification(string peer, byte[][] chain, TlsSignatureScheme scheme, byte[] content, byte[] signature)
    : TlsPendingWork(TlsStatus.NeedsCertificateVerification)
{
    private readonly X509Certificate2Collection _others = [];
    private X509Certificate2? _certificate;

    /// <summary>Hands the peer's own certificate over; the caller disposes of it.</summary>
    public X509Certificate2? TakeCertificate()
    {
        X509Certificate2? certificate = _certificate;
        _certificate = null;
        return certificate;
    }

    /// <summary>Hands the certificates over that came behind the own one; the caller disposes of them.</summary>
    public X509Certificate2Collection TakeOthers()
    {
        X509Certificate2Collection others = [.. _others];
        _others.Clear();
        return others;
    }

    /// <summary>DER of the peer's own certificate.</summary>
    public byte[] CertificateData => chain[0];

    private protected override TlsError? Run()
    {
        if (KnownKey() is { } key)
            return VerifySignature(key);
        _certificate = Load(chain[0]);
        foreach (byte[] der in chain.AsSpan(1))
        {
            if (Load(der) is { } other)
                _others.Add(other);
        }
        if (_certificate is null || _others.Count != chain.Length - 1)
            return TlsError.Rejected(TlsAlert.BadCertificate, $"The {peer} sent a certificate that cannot be decoded.");
        return VerifyKeyUsage(_certificate) ?? VerifySignature(_certificate) ?? VerifyTrust(_certificate, _others);
    }

    /// <summary>The peer's key, if this side knows it and trusts it by itself, so that no more of the certificate need be looked at; else null.</summary>
    private protected virtual X509PublicKey? KnownKey() => null;

    /// <summary>Decides whether the peer is who it should be.</summary>
    private protected abstract TlsError? VerifyTrust(X509Certificate2 certificate, X509Certificate2Collection others);

    /// <summary>Builds the chain to a root.</summary>
    /// <param name="certificate">The peer's own.</param>
    /// <param name="others">What came with it.</param>
    /// <param name="purpose">The extended key usage that the certificate must not exclude.</param>
    /// <param name="trustedRoots">Null for the system's.</param>
    /// <param name="revocationMode">How revocation is checked.</param>
    private protected TlsError? VerifyChain(
        X509Certificate2 certificate, X509Certificate2Collection others, string purpose, X509Certificate2Collection? trustedRoots, X509RevocationMode revocationMode)
    {
        TlsError? error = VerifyChainTo(certificate, others, purpose, trustedRoots, revocationMode, out X509ChainStatusFlags problems);
        if (trustedRoots == null || !problems.HasFlag(X509ChainStatusFlags.NotSignatureValid))
            return error;
        // Of several roots with one name, as an authority has that changed its key, the framework tries one alone where the certificate does not
        // say by a key identifier which of them has issued it (RFC 5280 §4.2.1.1).
        foreach (X509Certificate2 root in trustedRoots)
        {
            if (trustedRoots.Count(other => other.SubjectName.RawData.AsSpan().SequenceEqual(root.SubjectName.RawData)) == 1)
                continue;
            TlsError? alone = VerifyChainTo(certificate, others, purpose, [root], revocationMode, out problems);
            if (problems == X509ChainStatusFlags.NoError)
                return alone;
        }
        return error;
    }

    /// <returns>Null, or what is wrong: with the chain, of which <paramref name="problems"/> says so, or with what else is known.</returns>
    private TlsError? VerifyChainTo(
        X509Certificate2 certificate, X509Certificate2Collection others, string purpose, X509Certificate2Collection? trustedRoots, X509RevocationMode revocationMode,
        out X509ChainStatusFlags problems)
    {
        using var builder = new X509Chain();
        X509ChainPolicy policy = builder.ChainPolicy;
        policy.RevocationMode = revocationMode;
        policy.RevocationFlag = X509RevocationFlag.ExcludeRoot;
        // The peer's certificate must not make this side fetch addresses of the peer's choice.
        policy.DisableCertificateDownloads = true;
        policy.ApplicationPolicy.Add(new Oid(purpose));
        policy.ExtraStore.AddRange(others);
        if (trustedRoots is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(trustedRoots);
        }
        bool valid = builder.Build(certificate);
        problems = X509ChainStatusFlags.NoError;
        foreach (X509ChainStatus status in builder.ChainStatus)
            problems |= status.Status;
        // A root that is trusted as it is has issued itself.
        TlsError? error = valid
            ? VerifyStatus(certificate, builder.ChainElements[Math.Min(1, builder.ChainElements.Count - 1)].Certificate)
            : TlsError.Rejected(AlertFor(problems), $"The {peer}'s certificate chain is not valid: {problems}.");
        foreach (X509ChainElement element in builder.ChainElements)
            element.Certificate.Dispose();
        return error;
    }

    /// <summary>Looks at what else is known of a certificate whose chain is valid.</summary>
    private protected virtual TlsError? VerifyStatus(X509Certificate2 certificate, X509Certificate2 issuer) => null;

    private TlsError? VerifySignature(X509Certificate2 certificate) => SignatureError(
        CertificateSignature.Supports(certificate, scheme.Algorithm()),
        CertificateSignature.Verify(certificate, scheme.Algorithm(), content, signature));

    private TlsError? VerifySignature(X509PublicKey key) => SignatureError(
        CertificateSignature.Supports(key, scheme.Algorithm()),
        CertificateSignature.Verify(key, scheme.Algorithm(), content, signature));

    private TlsError? SignatureError(bool isSupported, bool isValid)
    {
        // RFC 8446 §4.4.3: the scheme must be one for the key in the certificate.
        if (!isSupported)
            return TlsError.Illegal($"The {peer}'s signature scheme is not one for its certificate's key, or the key is too weak.");
        return isValid ? null : TlsError.Misbehaved(TlsAlert.DecryptError, $"The {peer}'s CertificateVerify signature is wrong.");
    }

    private TlsError? VerifyKeyUsage(X509Certificate2 certificate)
    {
        try
        {
            // RFC 8446 §4.4.2.2: "the certificate MUST allow the key to be used for signing (i.e., the digitalSignature bit MUST be set if
            // the Key Usage extension is present)".
            foreach (X509Extension extension in certificate.Extensions)
            {
                if (extension is X509KeyUsageExtension usage && (usage.KeyUsages & X509KeyUsageFlags.DigitalSignature) == 0)
                    return TlsError.Rejected(TlsAlert.UnsupportedCertificate, $"The key of the {peer}'s certificate is not for signatures.");
            }
            return null;
        }
        catch (CryptographicException)
        {
            return TlsError.Rejected(TlsAlert.BadCertificate, $"The {peer} sent a certificate that cannot be decoded.");
        }
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

    /// <summary>Decodes a certificate; null if it cannot be.</summary>
    internal static X509Certificate2? Load(byte[] der)
    {
        // RFC 8446 §4.4.2: DER, in one piece. The loader would take PEM and trailing bytes as well.
        if (!AsnDecoder.TryReadEncodedValue(der, AsnEncodingRules.DER, out Asn1Tag tag, out _, out _, out int consumed)
            || tag != Asn1Tag.Sequence || consumed != der.Length)
            return null;
        X509Certificate2? certificate = null;
        try
        {
            certificate = X509CertificateLoader.LoadCertificate(der);
            // The framework decodes dates when they are asked for, and throws then: this is where it may.
            _ = certificate.BeginUnixMilliseconds();
            _ = certificate.EndUnixMilliseconds();
            return certificate;
        }
        catch (CryptographicException)
        {
            certificate?.Dispose();
            return null;
        }
    }

    protected override void Dispose(bool disposing)
    {
        _certificate?.Dispose();
        foreach (X509Certificate2 other in _others)
            other.Dispose();
    }
}
