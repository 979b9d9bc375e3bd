using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;

namespace CryptoPlane.Tests.PublicKey;

public sealed class CertificateSignatureTests : IDisposable
{
    private readonly X509Certificate2 _p256 = SelfSigned(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _p384 = SelfSigned(ECCurve.NamedCurves.nistP384);
    private readonly X509Certificate2 _rsa = SelfSigned(2048);

    public static TheoryData<SignatureAlgorithm> Algorithms =>
        [SignatureAlgorithm.EcdsaP256Sha256, SignatureAlgorithm.EcdsaP384Sha384, SignatureAlgorithm.RsaPssSha256, SignatureAlgorithm.RsaPssSha384, SignatureAlgorithm.RsaPssSha512];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_signature_is_valid_for_its_data_key_and_algorithm_only(SignatureAlgorithm algorithm)
    {
        X509Certificate2 certificate = For(algorithm);
        byte[] data = RandomNumberGenerator.GetBytes(146);
        byte[] buffer = new byte[CertificateSignature.MaxSize];
        int length = CertificateSignature.Sign(certificate, algorithm, data, buffer);
        byte[] signature = buffer[..length];

        Assert.True(CertificateSignature.Verify(certificate, algorithm, data, signature));
        foreach (SignatureAlgorithm other in Enum.GetValues<SignatureAlgorithm>().Where(other => other != algorithm && other != SignatureAlgorithm.None))
            Assert.False(CertificateSignature.Verify(certificate, other, data, signature));
        foreach (X509Certificate2 other in new[] { _p256, _p384, _rsa }.Where(other => other != certificate))
            Assert.False(CertificateSignature.Verify(other, algorithm, data, signature));
        data[0] ^= 1;
        Assert.False(CertificateSignature.Verify(certificate, algorithm, data, signature));
        data[0] ^= 1;
        for (int cut = 0; cut < length; cut += 7)
            Assert.False(CertificateSignature.Verify(certificate, algorithm, data, signature.AsSpan(0, cut)));
    }

    [Fact]
    public void A_short_rsa_key_is_not_supported()
    {
        using X509Certificate2 weak = SelfSigned(1024);
        Assert.False(CertificateSignature.Supports(weak, SignatureAlgorithm.RsaPssSha256));
        byte[] signature = new byte[CertificateSignature.MaxSize];
        int length = CertificateSignature.Sign(weak, SignatureAlgorithm.RsaPssSha256, "data"u8, signature);
        Assert.False(CertificateSignature.Verify(weak, SignatureAlgorithm.RsaPssSha256, "data"u8, signature.AsSpan(0, length)));
    }

    [Fact]
    public void A_key_that_is_for_key_agreement_alone_verifies_nothing()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyAgreement, true));
        using X509Certificate2 certificate = request.Create(_p256.SubjectName, X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), [1]);
        byte[] signature = key.SignData("data"u8, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        Assert.False(CertificateSignature.Verify(certificate, SignatureAlgorithm.EcdsaP256Sha256, "data"u8, signature));
    }

    [Fact]
    public void Signing_without_a_private_key_says_what_to_do()
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(_p256.RawData);
        var failure = Assert.Throws<CryptographicException>(() => CertificateSignature.Sign(bare, SignatureAlgorithm.EcdsaP256Sha256, "data"u8, new byte[200]));
        Assert.Contains("private key", failure.Message);
        Assert.Throws<CryptographicException>(() => CertificateSignature.Sign(_p256, SignatureAlgorithm.EcdsaP256Sha256, "data"u8, new byte[10]));
    }

    public void Dispose()
    {
        _p256.Dispose();
        _p384.Dispose();
        _rsa.Dispose();
    }

    private X509Certificate2 For(SignatureAlgorithm algorithm) => algorithm switch
    {
        SignatureAlgorithm.EcdsaP256Sha256 => _p256,
        SignatureAlgorithm.EcdsaP384Sha384 => _p384,
        _ => _rsa,
    };

    private static X509Certificate2 SelfSigned(ECCurve curve)
    {
        using ECDsa key = ECDsa.Create(curve);
        return new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
    }

    private static X509Certificate2 SelfSigned(int bits)
    {
        using RSA key = RSA.Create(bits);
        return new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
    }
}
