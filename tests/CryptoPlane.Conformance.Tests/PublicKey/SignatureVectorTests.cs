using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using CryptoPlane.TestKit;

namespace CryptoPlane.Conformance.Tests.PublicKey;

/// <summary>Wycheproof's signatures, with each group's key in a certificate, as a TLS peer would bring it.</summary>
public sealed class SignatureVectorTests
{
    [Theory]
    [InlineData("ecdsa_secp256r1_sha256_test.json", SignatureAlgorithm.EcdsaP256Sha256)]
    [InlineData("ecdsa_secp384r1_sha384_test.json", SignatureAlgorithm.EcdsaP384Sha384)]
    [InlineData("ecdsa_secp521r1_sha512_test.json", SignatureAlgorithm.EcdsaP521Sha512)]
    [InlineData("rsa_pss_2048_sha256_mgf1_32_test.json", SignatureAlgorithm.RsaPssSha256)]
    [InlineData("rsa_pss_3072_sha256_mgf1_32_test.json", SignatureAlgorithm.RsaPssSha256)]
    [InlineData("rsa_pss_4096_sha384_mgf1_48_test.json", SignatureAlgorithm.RsaPssSha384)]
    [InlineData("rsa_pss_4096_sha512_mgf1_64_test.json", SignatureAlgorithm.RsaPssSha512)]
    public void Every_signature_is_judged_as_the_vectors_say(string name, SignatureAlgorithm algorithm)
    {
        using WycheproofFile file = WycheproofFile.Load(name);
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var certificates = new Dictionary<string, X509Certificate2>();
        int run = 0, accepted = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            string key = test.Group.GetProperty("publicKeyDer").GetString()!;
            if (!certificates.TryGetValue(key, out X509Certificate2? certificate))
                certificates.Add(key, certificate = CertificateFor(Convert.FromHexString(key), issuer));
            bool valid = CertificateSignature.Verify(certificate, algorithm, test.Hex("msg"), test.Hex("sig"));
            Assert.True(valid == (test.Result == WycheproofResult.Valid) || test.Result == WycheproofResult.Acceptable, test.ToString());
            accepted += valid ? 1 : 0;
            run++;
        }
        foreach (X509Certificate2 certificate in certificates.Values)
            certificate.Dispose();
        Assert.Equal(file.NumberOfTests, run);
        Assert.True(accepted > 10);
    }

    private static X509Certificate2 CertificateFor(byte[] subjectPublicKeyInfo, ECDsa issuer)
    {
        System.Security.Cryptography.X509Certificates.PublicKey key =
            System.Security.Cryptography.X509Certificates.PublicKey.CreateFromSubjectPublicKeyInfo(subjectPublicKeyInfo, out _);
        var request = new CertificateRequest(new X500DistinguishedName("CN=vector"), key, HashAlgorithmName.SHA256);
        return request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(issuer),
            DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), [1]);
    }
}
