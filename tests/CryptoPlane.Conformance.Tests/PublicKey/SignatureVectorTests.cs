using System.Formats.Asn1;
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
    [InlineData("rsa_pss_2048_sha256_mgf1_32_test.json", SignatureAlgorithm.RsaPssKeySha256)]
    [InlineData("rsa_pss_4096_sha384_mgf1_48_test.json", SignatureAlgorithm.RsaPssKeySha384)]
    [InlineData("rsa_pss_4096_sha512_mgf1_64_test.json", SignatureAlgorithm.RsaPssKeySha512)]
    [InlineData("ed25519_test.json", SignatureAlgorithm.Ed25519)]
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
                certificates.Add(key, certificate = CertificateFor(KeyFor(Convert.FromHexString(key), algorithm), issuer));
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

    [Theory]
    [InlineData(SignatureAlgorithm.RsaPssSha256, "SHA-256", 32)]
    [InlineData(SignatureAlgorithm.RsaPssSha384, "SHA-384", 48)]
    [InlineData(SignatureAlgorithm.RsaPssSha512, "SHA-512", 64)]
    [InlineData(SignatureAlgorithm.RsaPssKeySha256, "SHA-256", 32)]
    [InlineData(SignatureAlgorithm.RsaPssKeySha384, "SHA-384", 48)]
    [InlineData(SignatureAlgorithm.RsaPssKeySha512, "SHA-512", 64)]
    public void Right_signatures_of_RSA_PSS_with_other_parameters_are_refused(SignatureAlgorithm algorithm, string hash, int saltLength)
    {
        using WycheproofFile file = WycheproofFile.Load("rsa_pss_misc_test.json");
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        int run = 0, accepted = 0;
        foreach (WycheproofTest test in file.Tests)
        {
            using X509Certificate2 certificate = CertificateFor(KeyFor(Convert.FromHexString(test.Group.GetProperty("publicKeyDer").GetString()!), algorithm), issuer);
            bool fits = test.Group.GetProperty("sha").GetString() == hash && test.Group.GetProperty("mgfSha").GetString() == hash && test.GroupInt("sLen") == saltLength;
            Assert.True(fits == CertificateSignature.Verify(certificate, algorithm, test.Hex("msg"), test.Hex("sig")), test.ToString());
            accepted += fits ? 1 : 0;
            run++;
        }
        Assert.Equal(file.NumberOfTests, run);
        Assert.Equal(1, accepted);
    }

    /// <summary>The vectors' RSA keys are of rsaEncryption: the same numbers as a key of id-RSASSA-PSS without parameters (RFC 4055 §1.2), where that is asked for.</summary>
    private static byte[] KeyFor(byte[] subjectPublicKeyInfo, SignatureAlgorithm algorithm)
    {
        if (algorithm is not (SignatureAlgorithm.RsaPssKeySha256 or SignatureAlgorithm.RsaPssKeySha384 or SignatureAlgorithm.RsaPssKeySha512))
            return subjectPublicKeyInfo;
        AsnReader outer = new AsnReader(subjectPublicKeyInfo, AsnEncodingRules.DER).ReadSequence();
        outer.ReadSequence();
        byte[] key = outer.ReadBitString(out _);
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.10");
            writer.WriteBitString(key);
        }
        return writer.Encode();
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
