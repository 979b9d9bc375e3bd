using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>Certificates for tests, made once per run: a root, and servers below it for <see cref="ServerName"/> and 127.0.0.1.</summary>
internal static class TestCertificates
{
    public const string ServerName = "server.example";

    private static readonly Lazy<X509Certificate2> s_root = new(MakeRoot);
    private static readonly Lazy<X509Certificate2> s_p256 = new(() => Issue(ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256));
    private static readonly Lazy<X509Certificate2> s_p384 = new(() => Issue(ECDsa.Create(ECCurve.NamedCurves.nistP384), HashAlgorithmName.SHA384));
    private static readonly Lazy<X509Certificate2> s_p521 = new(() => Issue(ECDsa.Create(ECCurve.NamedCurves.nistP521), HashAlgorithmName.SHA512));
    private static readonly Lazy<X509Certificate2> s_rsa = new(() => Issue(RSA.Create(2048)));

    private static readonly Lazy<TestCredential> s_ed25519 = new(() => TestCredential.Issue(TestCredential.Ed25519Key()));
    private static readonly Lazy<TestCredential> s_rsaPss = new(() => TestCredential.Issue(TestCredential.RsaPssKey(s_rsa.Value.GetRSAPrivateKey()!)));

    public static X509Certificate2 Root => s_root.Value;

    public static X509Certificate2 EcdsaP256 => s_p256.Value;

    public static X509Certificate2 EcdsaP384 => s_p384.Value;

    public static X509Certificate2 EcdsaP521 => s_p521.Value;

    public static X509Certificate2 Rsa2048 => s_rsa.Value;

    /// <summary>Ed25519, whose private key is beside the certificate.</summary>
    public static TestCredential Ed25519 => s_ed25519.Value;

    /// <summary>An id-RSASSA-PSS key, which is beside the certificate.</summary>
    public static TestCredential RsaPss => s_rsaPss.Value;

    /// <summary>The credential whose key signs with a scheme.</summary>
    public static TlsCredential For(TlsSignatureScheme scheme) => scheme switch
    {
        TlsSignatureScheme.EcdsaSecp256r1Sha256 => new TlsCredential(EcdsaP256),
        TlsSignatureScheme.EcdsaSecp384r1Sha384 => new TlsCredential(EcdsaP384),
        TlsSignatureScheme.EcdsaSecp521r1Sha512 => new TlsCredential(EcdsaP521),
        TlsSignatureScheme.Ed25519 => Ed25519.Credential,
        TlsSignatureScheme.RsaPssPssSha256 or TlsSignatureScheme.RsaPssPssSha384 or TlsSignatureScheme.RsaPssPssSha512 => RsaPss.Credential,
        _ => new TlsCredential(Rsa2048),
    };

    /// <summary>Issues a server's certificate below the root.</summary>
    public static X509Certificate2 Issue(ECDsa key, HashAlgorithmName hash, string name = ServerName, DateTimeOffset? notAfter = null, string? usage = null)
    {
        var request = new CertificateRequest($"CN={name}", key, hash);
        using X509Certificate2 certificate = Sign(request, name, notAfter, usage);
        return certificate.CopyWithPrivateKey(key);
    }

    private static X509Certificate2 Issue(RSA key)
    {
        var request = new CertificateRequest($"CN={ServerName}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pss);
        using X509Certificate2 certificate = Sign(request, ServerName, null, null);
        return certificate.CopyWithPrivateKey(key);
    }

    /// <summary>Makes a self-signed certificate.</summary>
    public static X509Certificate2 SelfSigned(string name = ServerName)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    /// <summary>Signs a request with the root's key, with names, constraints and, if one is given, an extended key usage.</summary>
    public static X509Certificate2 Sign(CertificateRequest request, string name, DateTimeOffset? notAfter, string? usage)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        if (usage is not null)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], true));
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] &= 0x7F;
        DateTimeOffset end = notAfter ?? DateTimeOffset.UtcNow.AddDays(2);
        return request.Create(Root.SubjectName, X509SignatureGenerator.CreateForECDsa(Root.GetECDsaPrivateKey()!), end.AddDays(-3), end, serial);
    }

    private static X509Certificate2 MakeRoot()
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=CryptoPlane test root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }
}
