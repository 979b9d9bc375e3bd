using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace VpnBroker.Tests.Interop.Ipsec;

/// <summary>A root, an ECDSA certificate of the broker that an intermediate has issued, and an RSA certificate of strongSwan's.</summary>
internal sealed class IpsecCertificates
{
    private static readonly DateTimeOffset s_from = DateTimeOffset.UtcNow.AddDays(-1), s_to = DateTimeOffset.UtcNow.AddDays(2);
    private readonly string _root, _broker, _brokerKey, _swan, _swanKey;

    public IpsecCertificates()
    {
        using ECDsa rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP384), middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using ECDsa brokerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using RSA swanKey = RSA.Create(2048);
        using X509Certificate2 root = Authority("CN=test root", rootKey).CreateSelfSigned(s_from, s_to);
        using X509Certificate2 middle = Authority("CN=test intermediate", middleKey).Create(root, s_from, s_to, [1]).CopyWithPrivateKey(middleKey);
        using X509Certificate2 broker = Leaf(new CertificateRequest("CN=broker", brokerKey, HashAlgorithmName.SHA256), "broker.test").Create(middle, s_from, s_to, [2]);
        using X509Certificate2 swan = Leaf(new CertificateRequest("CN=swan", swanKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), "swan.test")
            .Create(root.SubjectName, X509SignatureGenerator.CreateForECDsa(rootKey), s_from, s_to, [3]);
        _root = root.ExportCertificatePem();
        _broker = broker.ExportCertificatePem() + "\n" + middle.ExportCertificatePem();
        _brokerKey = brokerKey.ExportPkcs8PrivateKeyPem();
        _swan = swan.ExportCertificatePem();
        _swanKey = swanKey.ExportPkcs8PrivateKeyPem();
    }

    public void WriteBroker(string directory)
    {
        File.WriteAllText(Path.Combine(directory, "ca.crt"), _root);
        File.WriteAllText(Path.Combine(directory, "broker.crt"), _broker);
        string key = Path.Combine(directory, "broker.key");
        File.WriteAllText(key, _brokerKey);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    public void WriteSwan(string directory)
    {
        File.WriteAllText(Path.Combine(directory, "x509ca", "ca.crt"), _root);
        File.WriteAllText(Path.Combine(directory, "x509", "swan.crt"), _swan);
        File.WriteAllText(Path.Combine(directory, "private", "swan.key"), _swanKey);
    }

    private static CertificateRequest Authority(string name, ECDsa key)
    {
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        return request;
    }

    private static CertificateRequest Leaf(CertificateRequest request, string name)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        return request;
    }
}
