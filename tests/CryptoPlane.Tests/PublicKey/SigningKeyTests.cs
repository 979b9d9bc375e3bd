using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using FrameworkKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.Tests.PublicKey;

public sealed class SigningKeyTests
{
    private const string RsaPss = "1.2.840.113549.1.1.10";
    private static readonly byte[] s_ed25519Prefix = Convert.FromHexString("302e020100300506032b657004220420");
    private static readonly Lazy<byte[]> s_rsa = new(MakeRsa), s_otherRsa = new(MakeRsa);

    public static TheoryData<SignatureAlgorithm> Algorithms => [.. Enum.GetValues<SignatureAlgorithm>().Where(algorithm => algorithm != SignatureAlgorithm.None)];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_signature_is_valid_for_its_data_key_and_algorithm_only(SignatureAlgorithm algorithm)
    {
        using SigningKey key = SigningKey.FromDer(KeyFor(algorithm));
        using X509Certificate2 certificate = CertificateFor(key);
        Assert.True(key.IsKeyOf(certificate));
        Assert.True(CertificateSignature.Supports(certificate, algorithm));
        byte[] data = RandomNumberGenerator.GetBytes(146), buffer = new byte[CertificateSignature.MaxSize];
        byte[] signature = buffer[..key.Sign(algorithm, data, buffer)];

        Assert.True(CertificateSignature.Verify(certificate, algorithm, data, signature));
        foreach (SignatureAlgorithm other in Algorithms.Select(row => row.Data).Where(other => other != algorithm))
            Assert.False(CertificateSignature.Verify(certificate, other, data, signature));
        using SigningKey stranger = SigningKey.FromDer(KeyFor(algorithm, fresh: true));
        using X509Certificate2 otherCertificate = CertificateFor(stranger);
        Assert.False(stranger.IsKeyOf(certificate));
        Assert.False(CertificateSignature.Verify(otherCertificate, algorithm, data, signature));
        data[0] ^= 1;
        Assert.False(CertificateSignature.Verify(certificate, algorithm, data, signature));
        data[0] ^= 1;
        for (int cut = 0; cut < signature.Length; cut += 7)
            Assert.False(CertificateSignature.Verify(certificate, algorithm, data, signature.AsSpan(0, cut)));
        Assert.False(CertificateSignature.Verify(certificate, algorithm, data, [.. signature, 0]));
    }

    /// <summary>RFC 8032 §7.1, TEST 3.</summary>
    [Fact]
    public void Ed25519_gives_the_signature_of_the_RFC()
    {
        using SigningKey key = SigningKey.FromDer([.. s_ed25519Prefix, .. Convert.FromHexString("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7")]);
        Assert.EndsWith("FC51CD8E6218A1A38DA47ED00230F0580816ED13BA3303AC5DEB911548908025", Convert.ToHexString(key.ExportSubjectPublicKeyInfo()));
        byte[] signature = new byte[64];
        Assert.Equal(64, key.Sign(SignatureAlgorithm.Ed25519, [0xAF, 0x82], signature));
        Assert.Equal(
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            Convert.ToHexStringLower(signature));
    }

    [Fact]
    public void Keys_are_read_in_every_form_of_PEM()
    {
        using ECDsa ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using RSA rsa = RSA.Create(2048);
        foreach (string pem in new[] { ecdsa.ExportPkcs8PrivateKeyPem(), ecdsa.ExportECPrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportRSAPrivateKeyPem() })
        {
            using SigningKey key = SigningKey.FromPem("a text before\n" + ecdsa.ExportSubjectPublicKeyInfoPem() + "\n" + pem + "\n");
            bool isRsa = pem.Contains("RSA", StringComparison.Ordinal) || pem == rsa.ExportPkcs8PrivateKeyPem();
            Assert.Equal(isRsa ? rsa.ExportSubjectPublicKeyInfo() : ecdsa.ExportSubjectPublicKeyInfo(), key.ExportSubjectPublicKeyInfo());
        }
        Assert.Throws<CryptographicException>(() => SigningKey.FromPem(ecdsa.ExportSubjectPublicKeyInfoPem()));
        Assert.Throws<CryptographicException>(() => SigningKey.FromPem(""));
        var encryption = new PbeParameters(PbeEncryptionAlgorithm.Aes128Cbc, HashAlgorithmName.SHA256, 10);
        Assert.Contains("encrypted", Assert.Throws<CryptographicException>(() => SigningKey.FromPem(ecdsa.ExportEncryptedPkcs8PrivateKeyPem("word", encryption))).Message);
    }

    [Fact]
    public void What_is_no_key_is_refused()
    {
        byte[] good = KeyFor(SignatureAlgorithm.Ed25519);
        Assert.Throws<CryptographicException>(() => SigningKey.FromDer([]));
        Assert.Throws<CryptographicException>(() => SigningKey.FromDer(good.AsSpan(0, good.Length - 1)));
        Assert.Throws<CryptographicException>(() => SigningKey.FromDer([.. good, 0]));
        SigningKey key = SigningKey.FromDer(good);
        Assert.Throws<CryptographicException>(() => key.Sign(SignatureAlgorithm.EcdsaP256Sha256, "data"u8, new byte[200]));
        Assert.Throws<CryptographicException>(() => key.Sign(SignatureAlgorithm.Ed25519, "data"u8, new byte[63]));
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Sign(SignatureAlgorithm.Ed25519, "data"u8, new byte[64]));
    }

    /// <summary>RFC 4055 §3.1: parameters in the key bind it to a hash; RFC 8446 §4.2.3.</summary>
    [Fact]
    public void A_key_of_RSA_PSS_with_parameters_signs_with_their_hash_only()
    {
        using SigningKey key = SigningKey.FromDer(Pkcs8(s_rsa.Value, Parameters("2.16.840.1.101.3.4.2.2", "2.16.840.1.101.3.4.2.2", 48)));
        using X509Certificate2 certificate = CertificateFor(key);
        Assert.True(CertificateSignature.Supports(certificate, SignatureAlgorithm.RsaPssKeySha384));
        Assert.False(CertificateSignature.Supports(certificate, SignatureAlgorithm.RsaPssKeySha256));
        Assert.False(CertificateSignature.Supports(certificate, SignatureAlgorithm.RsaPssKeySha512));
        byte[] buffer = new byte[CertificateSignature.MaxSize];
        byte[] signature = buffer[..key.Sign(SignatureAlgorithm.RsaPssKeySha384, "data"u8, buffer)];
        Assert.True(CertificateSignature.Verify(certificate, SignatureAlgorithm.RsaPssKeySha384, "data"u8, signature));
        Assert.Throws<CryptographicException>(() => key.Sign(SignatureAlgorithm.RsaPssKeySha256, "data"u8, buffer));
    }

    [Fact]
    public void Parameters_of_RSA_PSS_are_read_whole_or_not_at_all()
    {
        const string Sha256 = "2.16.840.1.101.3.4.2.1", Sha384 = "2.16.840.1.101.3.4.2.2";
        byte[] good = Parameters(Sha256, Sha256, 32);
        Assert.True(RsaPssParameters.Allow(good, HashAlgorithmName.SHA256));
        Assert.True(RsaPssParameters.Allow(default, HashAlgorithmName.SHA256));
        // Left away, the salt has 20 bytes, which a signature may exceed.
        Assert.True(RsaPssParameters.Allow(Parameters(Sha256, Sha256, null), HashAlgorithmName.SHA256));
        foreach (byte[] bad in new[] { Parameters(Sha256, Sha384, 32), Parameters(Sha384, Sha256, 32), Parameters(Sha256, Sha256, 33), Parameters(Sha256, Sha256, -1), [0x30, 0] })
            Assert.False(RsaPssParameters.Allow(bad, HashAlgorithmName.SHA256));
        for (int cut = 1; cut < good.Length; cut++)
            Assert.False(RsaPssParameters.Allow(good.AsMemory(0, cut), HashAlgorithmName.SHA256));
        Assert.False(RsaPssParameters.Allow((byte[])[.. good, 0], HashAlgorithmName.SHA256));
        var random = new Random(4055);
        for (int i = 0; i < 5000; i++)
        {
            byte[] changed = (byte[])good.Clone();
            changed[random.Next(changed.Length)] = (byte)random.Next(256);
            RsaPssParameters.Allow(changed, HashAlgorithmName.SHA256);
        }
    }

    [Fact]
    public void A_short_key_of_RSA_PSS_is_not_supported()
    {
        using RSA rsa = RSA.Create(1024);
        using SigningKey key = SigningKey.FromDer(Pkcs8(rsa.ExportRSAPrivateKey(), []));
        using X509Certificate2 certificate = CertificateFor(key);
        Assert.False(CertificateSignature.Supports(certificate, SignatureAlgorithm.RsaPssKeySha256));
    }

    private static byte[] KeyFor(SignatureAlgorithm algorithm, bool fresh = false)
    {
        switch (algorithm)
        {
            case SignatureAlgorithm.EcdsaP256Sha256 or SignatureAlgorithm.EcdsaP384Sha384 or SignatureAlgorithm.EcdsaP521Sha512:
                using (ECDsa ecdsa = ECDsa.Create(algorithm switch
                {
                    SignatureAlgorithm.EcdsaP256Sha256 => ECCurve.NamedCurves.nistP256,
                    SignatureAlgorithm.EcdsaP384Sha384 => ECCurve.NamedCurves.nistP384,
                    _ => ECCurve.NamedCurves.nistP521,
                }))
                    return ecdsa.ExportPkcs8PrivateKey();
            case SignatureAlgorithm.Ed25519:
                return [.. s_ed25519Prefix, .. RandomNumberGenerator.GetBytes(32)];
            default:
                using (RSA rsa = RSA.Create())
                {
                    rsa.ImportRSAPrivateKey(fresh ? s_otherRsa.Value : s_rsa.Value, out _);
                    return algorithm is SignatureAlgorithm.RsaPssSha256 or SignatureAlgorithm.RsaPssSha384 or SignatureAlgorithm.RsaPssSha512
                        ? rsa.ExportPkcs8PrivateKey()
                        : Pkcs8(rsa.ExportRSAPrivateKey(), []);
                }
        }
    }

    private static byte[] MakeRsa()
    {
        using RSA rsa = RSA.Create(2048);
        return rsa.ExportRSAPrivateKey();
    }

    private static byte[] Pkcs8(byte[] rsaPrivateKey, byte[] parameters)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(0);
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier(RsaPss);
                if (parameters.Length != 0)
                    writer.WriteEncodedValue(parameters);
            }
            writer.WriteOctetString(rsaPrivateKey);
        }
        return writer.Encode();
    }

    private static byte[] Parameters(string hash, string maskHash, int? saltLength)
    {
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
                WriteHash(writer, hash);
            using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 1)))
            using (writer.PushSequence())
            {
                writer.WriteObjectIdentifier("1.2.840.113549.1.1.8");
                WriteHash(writer, maskHash);
            }
            if (saltLength is { } length)
            {
                using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 2)))
                    writer.WriteInteger(length);
            }
        }
        return writer.Encode();
    }

    private static void WriteHash(AsnWriter writer, string oid)
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(oid);
            writer.WriteNull();
        }
    }

    private static X509Certificate2 CertificateFor(SigningKey key)
    {
        using ECDsa issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        FrameworkKey publicKey = FrameworkKey.CreateFromSubjectPublicKeyInfo(key.ExportSubjectPublicKeyInfo(), out _);
        var request = new CertificateRequest(new X500DistinguishedName("CN=test"), publicKey, HashAlgorithmName.SHA256);
        return request.Create(
            new X500DistinguishedName("CN=issuer"), X509SignatureGenerator.CreateForECDsa(issuer), DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1), [1]);
    }
}
