using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake.Work;

/// <summary>The key of a certificate, read without the rest: against the framework, and of what is no certificate.</summary>
public sealed class CertificateKeyTests
{
    private const X509KeyUsageFlags Unsaid = (X509KeyUsageFlags)(-1);

    [Theory]
    [InlineData(Unsaid, true)]
    [InlineData(X509KeyUsageFlags.DigitalSignature, true)]
    [InlineData(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.DecipherOnly, true)]
    [InlineData(X509KeyUsageFlags.KeyAgreement | X509KeyUsageFlags.CrlSign, false)]
    [InlineData(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.NonRepudiation, false)]
    [InlineData(X509KeyUsageFlags.DecipherOnly | X509KeyUsageFlags.EncipherOnly, false)]
    [InlineData(X509KeyUsageFlags.None, false)]
    public void Key_and_usage_are_what_the_framework_wrote(X509KeyUsageFlags usage, bool maySign)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=a, O=b", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, false));
        if (usage != Unsaid)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, critical: true));
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.True(CertificateKey.TryRead(certificate.RawData, out CertificateKey read));
        Assert.Equal(key.ExportSubjectPublicKeyInfo(), read.SubjectPublicKeyInfo.ToArray());
        Assert.Equal(maySign, read.MaySign);
    }

    [Fact]
    public void What_is_cut_or_spoilt_gives_false_or_what_is_there()
    {
        foreach (X509Certificate2 certificate in (X509Certificate2[])[TestCertificates.EcdsaP256, TestCertificates.Rsa2048, TestCertificates.Root])
        {
            byte[] good = certificate.RawData;
            Assert.True(CertificateKey.TryRead(good, out CertificateKey read));
            Assert.Equal(certificate.PublicKey.ExportSubjectPublicKeyInfo(), read.SubjectPublicKeyInfo.ToArray());
            for (int length = 0; length < good.Length; length++)
                Assert.False(CertificateKey.TryRead(good.AsMemory(0, length), out _));
            Assert.False(CertificateKey.TryRead((byte[])[.. good, 0], out _));
            var random = new Random(11);
            for (int i = 0; i < 5_000; i++)
            {
                byte[] bad = [.. good];
                bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
                // Whatever it says: it ends, throws nothing, and the key lies within the certificate.
                if (CertificateKey.TryRead(bad, out CertificateKey other))
                    Assert.InRange(other.SubjectPublicKeyInfo.Length, 1, bad.Length);
            }
        }
    }

    [Fact]
    public void A_pinned_key_stands_for_itself_in_a_certificate_that_cannot_be_decoded_but_for_its_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] spki = key.ExportSubjectPublicKeyInfo();
        // Certificate: { { serial 1, four empty sequences in place of algorithm, names and dates, the key } }.
        byte[] body = [2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0, .. spki];
        byte[] odd = [0x30, (byte)(body.Length + 2), 0x30, (byte)body.Length, .. body];
        byte[] content = [1, 2, 3], signature = key.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        foreach ((bool alone, byte[] pin, byte[] signed, TlsAlert? alert) in (ReadOnlySpan<(bool, byte[], byte[], TlsAlert?)>)
        [
            (true, SHA256.HashData(spki), signature, null),
            (true, SHA256.HashData(spki), [.. signature[..^1], (byte)(signature[^1] ^ 1)], TlsAlert.DecryptError),
            (true, new byte[32], signature, TlsAlert.BadCertificate),
            (false, SHA256.HashData(spki), signature, TlsAlert.BadCertificate),
        ])
        {
            var options = new TlsClientOptions("vpn.example") { PinnedKeys = [pin], TrustPinnedKeysAlone = alone };
            using var work = new ServerCertificateVerification(options, [odd], TlsSignatureScheme.EcdsaSecp256r1Sha256, content, signed, []);
            work.Execute();
            Assert.Equal(alert, work.Error?.Alert);
        }
        var other = new TlsClientOptions("vpn.example") { PinnedKeys = [SHA256.HashData(spki)], TrustPinnedKeysAlone = true };
        using var scheme = new ServerCertificateVerification(other, [odd], TlsSignatureScheme.EcdsaSecp384r1Sha384, content, signature, []);
        scheme.Execute();
        Assert.Equal(TlsAlert.IllegalParameter, scheme.Error?.Alert);
    }
}
