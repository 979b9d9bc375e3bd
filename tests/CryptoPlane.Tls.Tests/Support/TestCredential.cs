using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using FrameworkKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A certificate below the root whose private key no <see cref="X509Certificate2"/> can hold.</summary>
/// <param name="Credential">Ready for use.</param>
/// <param name="Key">PKCS #8.</param>
internal sealed record TestCredential(TlsCredential Credential, byte[] Key)
{
    private static readonly byte[] s_ed25519Prefix = Convert.FromHexString("302e020100300506032b657004220420");

    public X509Certificate2 Certificate => Credential.Certificate;

    public string KeyPem => PemEncoding.WriteString("PRIVATE KEY", Key);

    /// <summary>A fresh key of Ed25519, as RFC 8410 §7 encodes it.</summary>
    public static byte[] Ed25519Key() => [.. s_ed25519Prefix, .. RandomNumberGenerator.GetBytes(32)];

    /// <summary>The numbers of an RSA key as a key of id-RSASSA-PSS without parameters (RFC 4055 §1.2).</summary>
    public static byte[] RsaPssKey(RSA rsa)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence())
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.10");
            writer.WriteOctetString(rsa.ExportRSAPrivateKey());
        }
        return writer.Encode();
    }

    public static TestCredential Issue(byte[] pkcs8)
    {
        SigningKey key = SigningKey.FromDer(pkcs8);
        FrameworkKey publicKey = FrameworkKey.CreateFromSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={TestCertificates.ServerName}"), publicKey, HashAlgorithmName.SHA256);
        return new TestCredential(new TlsCredential(TestCertificates.Sign(request, TestCertificates.ServerName, null, null), key), pkcs8);
    }
}
