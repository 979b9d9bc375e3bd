using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>A server's certificate below a root, both of this run alone.</summary>
internal sealed class BenchmarkCredentials : IDisposable
{
    public const string ServerName = "benchmark.example";

    private BenchmarkCredentials(AsymmetricAlgorithm key, Func<X500DistinguishedName, CertificateRequest> request)
    {
        using (key)
        {
            using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var rootRequest = new CertificateRequest("CN=benchmark root", rootKey, HashAlgorithmName.SHA256);
            rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            Root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(2));

            CertificateRequest own = request(new X500DistinguishedName($"CN={ServerName}"));
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(ServerName);
            own.CertificateExtensions.Add(names.Build());
            own.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
            X509SignatureGenerator issuer = X509SignatureGenerator.CreateForECDsa(rootKey);
            byte[] serial = RandomNumberGenerator.GetBytes(8);
            using X509Certificate2 bare = own.Create(
                Root.SubjectName, issuer, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), serial);
            Certificate = key is RSA rsa ? bare.CopyWithPrivateKey(rsa) : bare.CopyWithPrivateKey((ECDsa)key);
            KeyPem = key.ExportPkcs8PrivateKeyPem();
        }
    }

    public X509Certificate2 Certificate { get; }

    public X509Certificate2 Root { get; }

    public string CertificatePem => Certificate.ExportCertificatePem();

    public string RootPem => Root.ExportCertificatePem();

    public string KeyPem { get; }

    /// <summary>SHA-256 of the certificate's SubjectPublicKeyInfo: what clients know the server by.</summary>
    public byte[] Pin => PinOf(Certificate);

    public static BenchmarkCredentials Ecdsa()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new BenchmarkCredentials(key, name => new CertificateRequest(name, key, HashAlgorithmName.SHA256));
    }

    public static BenchmarkCredentials Rsa()
    {
        var key = RSA.Create(2048);
        return new BenchmarkCredentials(key, name => new CertificateRequest(name, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    /// <summary>The same of any certificate.</summary>
    public static byte[] PinOf(X509Certificate2 certificate) => SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    public void Dispose()
    {
        Certificate.Dispose();
        Root.Dispose();
    }
}
