using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Authentication;

public sealed class SignatureAuthenticationTests : IDisposable
{
    private static readonly byte[] s_octets = [.. Enumerable.Range(0, 400).Select(i => (byte)i)];
    private static readonly ushort[] s_allHashes = [1, 2, 3, 4, 5];

    // One key for all tests: it takes a tenth of a second to make.
    private static readonly RSA s_rsa = RSA.Create(2048);

    private readonly TestPki _pki = new();

    public void Dispose() => _pki.Dispose();

    // RFC 7427 §A.1.2, §A.3.2, §A.3.3, §A.4.3; and the last one without the trailer, whose value is the default.
    [Theory]
    [InlineData("300d06092a864886f70d01010b0500", (int)SignatureKind.RsaPkcs1, 2)]
    [InlineData("300a06082a8648ce3d040302", (int)SignatureKind.Ecdsa, 2)]
    [InlineData("300a06082a8648ce3d040303", (int)SignatureKind.Ecdsa, 3)]
    [InlineData("300a06082a8648ce3d040304", (int)SignatureKind.Ecdsa, 4)]
    [InlineData("304606092a864886f70d01010a3039a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120a303020101",
        (int)SignatureKind.RsaPss, 2)]
    [InlineData("304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120",
        (int)SignatureKind.RsaPss, 2)]
    public void The_published_identifiers_are_known(string identifier, int kind, ushort hash)
    {
        Assert.True(SignatureScheme.TryFind(Convert.FromHexString(identifier), out SignatureScheme scheme));
        Assert.Equal(new SignatureScheme((SignatureKind)kind, (SignatureHash)hash), scheme);
    }

    // SHA-1 with RSA and with ECDSA (§A.1.1, §A.3.1), PSS with all defaults, which are SHA-1's (§A.4.1), and PSS with a salt of 20 bytes.
    [Theory]
    [InlineData("300d06092a864886f70d0101050500")]
    [InlineData("300906072a8648ce3d0401")]
    [InlineData("300d06092a864886f70d01010a3000")]
    [InlineData("304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500a203020114")]
    [InlineData("300c06082a8648ce3d0403020500")]
    [InlineData("3000")]
    [InlineData("")]
    public void Other_identifiers_are_not(string identifier) => Assert.False(SignatureScheme.TryFind(Convert.FromHexString(identifier), out _));

    [Fact]
    public void Each_scheme_is_found_by_the_identifier_that_it_sends()
    {
        foreach (SignatureKind kind in new[] { SignatureKind.Ecdsa, SignatureKind.RsaPss, SignatureKind.RsaPkcs1 })
        {
            foreach (SignatureHash hash in SignatureHashes.All)
            {
                SignatureScheme scheme = new(kind, hash);
                Assert.True(SignatureScheme.TryFind(scheme.Identifier, out SignatureScheme found));
                Assert.Equal(scheme, found);
            }
        }
    }

    public static TheoryData<string, ushort[], int> Choices => new()
    {
        { "P256", s_allHashes, 2 },
        { "P256", [4, 3], 3 },
        { "P384", s_allHashes, 3 },
        { "P384", [2], 2 },
        { "P384", [2, 4], 4 },
        { "P521", s_allHashes, 4 },
        { "RSA", s_allHashes, 2 },
        { "RSA", [4], 4 },
    };

    [Theory]
    [MemberData(nameof(Choices))]
    public void A_hash_that_the_peer_takes_is_chosen_and_verified(string key, ushort[] hashes, int chosen)
    {
        X509Certificate2 certificate = Make(key);
        AuthenticationPayload? auth = SignatureAuthentication.Sign(certificate, s_octets, hashes);
        Assert.Equal(AuthenticationMethod.DigitalSignature, auth!.Method);
        Assert.True(SignatureScheme.TryFind(auth.Data.AsSpan(1, auth.Data[0]), out SignatureScheme scheme));
        Assert.Equal(new SignatureScheme(key == "RSA" ? SignatureKind.RsaPss : SignatureKind.Ecdsa, (SignatureHash)chosen), scheme);
        Assert.True(SignatureAuthentication.Verify(certificate, auth, s_octets));
        Assert.False(SignatureAuthentication.Verify(certificate, auth, s_octets.AsSpan(1)));
        Assert.False(SignatureAuthentication.Verify(Make(key == "RSA" ? "P256" : key), auth, s_octets));
    }

    [Theory]
    [InlineData("P256", 9, 64)]
    [InlineData("P384", 10, 96)]
    [InlineData("P521", 11, 132)]
    public void Peers_without_RFC_7427_get_the_method_of_the_curve(string key, byte method, int length)
    {
        X509Certificate2 certificate = Make(key);
        AuthenticationPayload? auth = SignatureAuthentication.Sign(certificate, s_octets, null);
        Assert.Equal(method, (byte)auth!.Method);
        // RFC 4754 §7: r and s, without DER.
        Assert.Equal(length, auth.Data.Length);
        Assert.True(SignatureAuthentication.Verify(certificate, auth, s_octets));
        for (byte other = 0; other < 20; other++)
        {
            if (other != method)
                Assert.False(SignatureAuthentication.Verify(certificate, auth with { Method = (AuthenticationMethod)other }, s_octets));
        }
    }

    [Fact]
    public void RSA_by_method_1_is_taken_with_SHA2_only_and_never_made()
    {
        X509Certificate2 certificate = Make("RSA");
        Assert.Null(SignatureAuthentication.Sign(certificate, s_octets, null));
        foreach (HashAlgorithmName hash in new[] { HashAlgorithmName.SHA256, HashAlgorithmName.SHA384, HashAlgorithmName.SHA512, HashAlgorithmName.SHA1 })
        {
            byte[] signature = s_rsa.SignData(s_octets, hash, RSASignaturePadding.Pkcs1);
            Assert.Equal(hash != HashAlgorithmName.SHA1, SignatureAuthentication.Verify(certificate, new(AuthenticationMethod.RsaSignature, signature), s_octets));
        }
    }

    [Fact]
    public void RSA_PKCS1_by_RFC_7427_is_taken()
    {
        byte[] identifier = new SignatureScheme(SignatureKind.RsaPkcs1, SignatureHash.Sha384).Identifier.ToArray();
        byte[] signature = s_rsa.SignData(s_octets, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);
        AuthenticationPayload auth = new(AuthenticationMethod.DigitalSignature, [(byte)identifier.Length, .. identifier, .. signature]);
        Assert.True(SignatureAuthentication.Verify(Make("RSA"), auth, s_octets));
        // The same signature under the name of PSS is none.
        identifier = new SignatureScheme(SignatureKind.RsaPss, SignatureHash.Sha384).Identifier.ToArray();
        Assert.False(SignatureAuthentication.Verify(Make("RSA"), auth with { Data = [(byte)identifier.Length, .. identifier, .. signature] }, s_octets));
    }

    [Fact]
    public void A_peer_that_takes_no_hash_of_ours_gets_nothing()
    {
        Assert.Null(SignatureAuthentication.Sign(Make("P256"), s_octets, []));
        Assert.Null(SignatureAuthentication.Sign(Make("P256"), s_octets, [1, 5]));
    }

    [Theory]
    [InlineData("P256")]
    [InlineData("RSA")]
    public void A_change_of_any_byte_is_noticed(string key)
    {
        X509Certificate2 certificate = Make(key);
        AuthenticationPayload auth = SignatureAuthentication.Sign(certificate, s_octets, s_allHashes)!;
        // Of RSA's signature every fifth byte will do.
        int step = key == "RSA" ? 5 : 1;
        for (int i = 0; i < auth.Data.Length; i += i < 80 ? 1 : step)
        {
            auth.Data[i] ^= 1;
            Assert.False(SignatureAuthentication.Verify(certificate, auth, s_octets));
            auth.Data[i] ^= 1;
        }
        for (int length = 0; length < auth.Data.Length; length += step)
            Assert.False(SignatureAuthentication.Verify(certificate, auth with { Data = auth.Data[..length] }, s_octets));
        Assert.False(SignatureAuthentication.Verify(certificate, auth with { Data = [.. auth.Data, 0] }, s_octets));
        Assert.True(SignatureAuthentication.Verify(certificate, auth, s_octets));
    }

    [Fact]
    public void Malformed_signatures_are_wrong_and_nothing_else()
    {
        X509Certificate2 certificate = Make("P256");
        byte[] identifier = new SignatureScheme(SignatureKind.Ecdsa, SignatureHash.Sha256).Identifier.ToArray();
        byte[] start = [(byte)identifier.Length, .. identifier];
        var random = new Random(3);
        byte[][] signatures =
        [
            [0x30, 0], [0x30, 0x80], [0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], [0x30, 6, 2, 1, 0, 2, 1, 0], [0x30, 6, 2, 1, 0xFF, 2, 1, 0xFF], [0x05, 0], [0],
        ];
        foreach (byte[] signature in signatures)
            Assert.False(Verify([.. start, .. signature]));
        for (int i = 0; i < 200; i++)
        {
            byte[] signature = new byte[random.Next(1, 100)];
            random.NextBytes(signature);
            Assert.False(Verify([.. start, .. signature]));
            Assert.False(Verify(signature));
        }

        bool Verify(byte[] data) => SignatureAuthentication.Verify(certificate, new(AuthenticationMethod.DigitalSignature, data), s_octets);
    }

    [Fact]
    public void Weak_keys_and_other_curves_are_unusable()
    {
        RSA small = _pki.Keep(RSA.Create(1024));
        ECDsa other = _pki.Keep(ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1));
        foreach (AsymmetricAlgorithm key in new AsymmetricAlgorithm[] { small, other })
        {
            X509Certificate2 certificate = _pki.MakePeer(key: key);
            Assert.Equal(CertificateKey.Unusable, CertificateKeys.Of(certificate));
            Assert.Null(SignatureAuthentication.Sign(certificate, s_octets, s_allHashes));
            byte[] identifier = new SignatureScheme(key is RSA ? SignatureKind.RsaPss : SignatureKind.Ecdsa, SignatureHash.Sha256).Identifier.ToArray();
            byte[] signature = key is RSA rsa ? rsa.SignData(s_octets, HashAlgorithmName.SHA256, RSASignaturePadding.Pss)
                : ((ECDsa)key).SignData(s_octets, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            Assert.False(SignatureAuthentication.Verify(certificate,
                new(AuthenticationMethod.DigitalSignature, [(byte)identifier.Length, .. identifier, .. signature]), s_octets));
        }
    }

    private X509Certificate2 Make(string key) => _pki.MakePeer(key: key switch
    {
        "P256" => _pki.Keep(ECDsa.Create(ECCurve.NamedCurves.nistP256)),
        "P384" => _pki.Keep(ECDsa.Create(ECCurve.NamedCurves.nistP384)),
        "P521" => _pki.Keep(ECDsa.Create(ECCurve.NamedCurves.nistP521)),
        _ => s_rsa,
    });
}
