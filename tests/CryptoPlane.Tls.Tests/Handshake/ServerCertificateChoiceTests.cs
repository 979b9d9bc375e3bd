using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;
using X509PublicKey = System.Security.Cryptography.X509Certificates.PublicKey;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Which of its certificates a server shows, by what the client says of keys and of chains (RFC 8446 §4.2.3, §4.4.2.2).</summary>
public sealed class ServerCertificateChoiceTests
{
    private const ushort EcdsaSha256 = 0x0403, EcdsaSha384 = 0x0503, RsaSha1 = 0x0201, PssSha256 = 0x0804, Pkcs1Sha256 = 0x0401, Ed25519 = 0x0807;

    /// <summary>All of them below the root of ECDSA.</summary>
    private static readonly TlsCredential s_p256 = new(TestCertificates.EcdsaP256), s_p384 = new(TestCertificates.EcdsaP384), s_rsa = new(TestCertificates.Rsa2048);

    [Fact]
    public void The_first_is_shown_whose_key_the_client_can_verify()
    {
        Assert.Same(s_p256, Shown([s_p256, s_rsa], [EcdsaSha256, PssSha256]));
        Assert.Same(s_rsa, Shown([s_rsa, s_p256], [EcdsaSha256, PssSha256]));
        Assert.Same(s_p256, Shown([s_p384, s_rsa, s_p256], [EcdsaSha256]));
        Assert.Same(s_rsa, Shown([s_p384, s_p256, s_rsa], [PssSha256], [EcdsaSha256]));
        Assert.Null(Shown([s_p256, s_rsa], [Ed25519], [EcdsaSha256]));
    }

    [Fact]
    public void Of_those_the_first_is_shown_whose_chain_the_client_can_verify()
    {
        using Issuer rsa = Issuer.Rsa(HashAlgorithmName.SHA256), ecdsa = Issuer.Ecdsa(HashAlgorithmName.SHA384);
        TlsCredential byRsa = rsa.Issue(), byEcdsa = ecdsa.Issue();
        // signature_algorithms_cert counts, if it is there: both keys are of P-256.
        Assert.Same(byEcdsa, Shown([byRsa, byEcdsa], [EcdsaSha256], [EcdsaSha384]));
        Assert.Same(byRsa, Shown([byEcdsa, byRsa], [EcdsaSha256], [Pkcs1Sha256]));
        Assert.Same(byRsa, Shown([byRsa, byEcdsa], [EcdsaSha256], [EcdsaSha384, Pkcs1Sha256]));
        // signature_algorithms count, if it is not.
        Assert.Same(byEcdsa, Shown([byRsa, byEcdsa], [EcdsaSha256, EcdsaSha384]));
        Assert.Same(byRsa, Shown([byEcdsa, byRsa], [EcdsaSha256, Pkcs1Sha256]));
        // A chain that the client can verify goes before a key that is preferred, but a key that it cannot verify is of no use.
        Assert.Same(byRsa, Shown([s_rsa, byRsa], [EcdsaSha256, PssSha256], [Pkcs1Sha256]));
        Assert.Same(s_rsa, Shown([byRsa, s_rsa], [PssSha256], [Pkcs1Sha256]));
    }

    [Fact]
    public void Every_signature_of_a_chain_counts_but_a_roots_own()
    {
        using Issuer root = Issuer.Rsa(HashAlgorithmName.SHA256);
        using Issuer intermediate = Issuer.Ecdsa(HashAlgorithmName.SHA384, root);
        TlsCredential without = intermediate.Issue(), with = intermediate.Issue([intermediate.Certificate]);
        TlsCredential whole = intermediate.Issue([intermediate.Certificate, root.Certificate]);
        Assert.Same(s_p256, Shown([with, s_p256], [EcdsaSha256], [EcdsaSha256, EcdsaSha384]));
        Assert.Same(without, Shown([without, s_p256], [EcdsaSha256], [EcdsaSha256, EcdsaSha384]));
        Assert.Same(with, Shown([with, s_p256], [EcdsaSha256], [Pkcs1Sha256, EcdsaSha384]));
        Assert.Same(whole, Shown([whole, s_p256], [EcdsaSha256], [Pkcs1Sha256, EcdsaSha384]));
        // A certificate that signed itself is verified by no signature at all.
        using X509Certificate2 alone = TestCertificates.SelfSigned();
        TlsCredential self = new(alone);
        Assert.Same(self, Shown([self, s_p256], [EcdsaSha256], [Ed25519]));
    }

    /// <summary>RFC 8446 §4.4.2.2: "the server SHOULD continue the handshake by sending the client a certificate chain of its choice".</summary>
    [Fact]
    public void If_no_chain_fits_the_preferred_one_is_shown()
    {
        Assert.Same(s_p256, Shown([s_p256, s_p384], [EcdsaSha256, EcdsaSha384], [Ed25519]));
        Assert.Same(s_p384, Shown([s_p384, s_p256], [EcdsaSha256, EcdsaSha384], [Ed25519]));
        Assert.Same(s_p256, Shown([s_rsa, s_p256], [EcdsaSha256], [Ed25519]));
        Assert.Same(s_rsa, Shown([s_rsa], [PssSha256]));
    }

    /// <summary>§4.4.2.2: SHA-1 in it is for clients alone that list it.</summary>
    [Fact]
    public void Chains_with_SHA_1_are_for_clients_that_list_it()
    {
        using Issuer old = Issuer.Sha1();
        using Issuer mixed = Issuer.Ecdsa(HashAlgorithmName.SHA384, old);
        TlsCredential sha1 = old.Issue(), below = mixed.Issue([mixed.Certificate]);
        Assert.Same(s_p256, Shown([sha1, s_p256], [EcdsaSha256], [Ed25519]));
        Assert.Null(Shown([sha1], [EcdsaSha256], [Ed25519]));
        Assert.Null(Shown([below], [EcdsaSha256], [EcdsaSha384]));
        Assert.Same(sha1, Shown([sha1], [EcdsaSha256], [RsaSha1]));
        // SHA-1 is listed, SHA-384 is not.
        Assert.Same(below, Shown([below], [EcdsaSha256], [RsaSha1]));
    }

    [Fact]
    public void The_name_is_looked_at_first()
    {
        var options = new TlsServerOptions(name => name switch
        {
            TestCertificates.ServerName => (TlsCredential[])[s_rsa, s_p256],
            null => [s_p384],
            _ => [],
        });
        Assert.Same(s_p256, Shown(options, [EcdsaSha256, EcdsaSha384], null));
        Assert.Same(s_p384, Shown(options, [EcdsaSha256, EcdsaSha384], null, hello => hello.Remove(ExtensionType.ServerName)));
        Assert.Null(Shown(options, [EcdsaSha256], null, hello => hello.Set(ExtensionType.ServerName, 0, 4, 0, 0, 1, 97), TlsAlert.UnrecognizedName));
        Assert.Same(s_rsa, options.CertificateSelector(TestCertificates.ServerName));
        Assert.Null(options.CertificateSelector("another.example"));
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0, 0 })]
    [InlineData(new byte[] { 0, 3, 4, 3, 4 })]
    [InlineData(new byte[] { 0, 2, 4, 3, 0 })]
    [InlineData(new byte[] { 0, 4, 4, 3 })]
    public void A_malformed_list_is_a_decode_error(byte[] data)
    {
        var options = new TlsServerOptions([s_p256, s_rsa]);
        Assert.Null(Shown(options, [EcdsaSha256], null, hello => hello.Set(ExtensionType.SignatureAlgorithmsCert, data), TlsAlert.DecodeError));
        Assert.Null(Shown(options, [EcdsaSha256], null, hello => hello.Set(ExtensionType.SignatureAlgorithms, data), TlsAlert.DecodeError));
    }

    [Fact]
    public void Our_client_gets_what_it_can_verify()
    {
        var options = new TlsServerOptions([s_rsa, s_p384, s_p256]);
        foreach ((TlsCredential expected, TlsSignatureScheme scheme) in ((TlsCredential, TlsSignatureScheme)[])
            [(s_rsa, TlsSignatureScheme.RsaPssRsaeSha512), (s_p384, TlsSignatureScheme.EcdsaSecp384r1Sha384), (s_p256, TlsSignatureScheme.EcdsaSecp256r1Sha256)])
        {
            // ECDSA P-256 with SHA-256 is what the root signs with.
            TlsClientOptions client = new(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], SignatureSchemes = [scheme] };
            using var pair = new TlsPair(client, options);
            pair.Run();
            Assert.Null(pair.Client.Error);
            Assert.Equal(expected.Certificate.RawData, pair.Client.RemoteCertificate!.RawData);
        }
    }

    [Fact]
    public void A_list_without_certificates_is_refused() => Assert.Throws<ArgumentException>(() => new TlsServerOptions(Array.Empty<TlsCredential>()));

    private static TlsCredential? Shown(TlsCredential[] own, ushort[] schemes, ushort[]? certificateSchemes = null) =>
        Shown(new TlsServerOptions(own), schemes, certificateSchemes);

    /// <summary>The one that a client is shown; null if it is refused, with handshake_failure if nothing else is said.</summary>
    private static TlsCredential? Shown(
        TlsServerOptions options, ushort[] schemes, ushort[]? certificateSchemes, Action<HelloBytes>? change = null, TlsAlert refusal = TlsAlert.HandshakeFailure)
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(options);
        HelloBytes hello = client.Hello().Set(ExtensionType.SignatureAlgorithms, List(schemes));
        if (certificateSchemes is null)
            hello.Remove(ExtensionType.SignatureAlgorithmsCert);
        else
            hello.Set(ExtensionType.SignatureAlgorithmsCert, List(certificateSchemes));
        change?.Invoke(hello);
        client.Send(hello.ToMessage());
        TlsStatus status = ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        if (status == TlsStatus.Failed)
        {
            Assert.Equal(refusal, server.Error!.Alert);
            return null;
        }
        client.TakeFlight(flight);
        byte[] message = client.Received.Single(received => received[0] == (byte)HandshakeType.Certificate);
        TlsCredential[] own = [.. options.CertificatesFor(TestCertificates.ServerName), .. options.CertificatesFor(null)];
        return own.First(credential => ScriptedClient.Certificate(credential).AsSpan().SequenceEqual(message));
    }

    private static byte[] List(ushort[] schemes) => [0, (byte)(2 * schemes.Length), .. schemes.SelectMany(scheme => (byte[])[(byte)(scheme >> 8), (byte)scheme])];

    /// <summary>An authority whose signatures are of one kind.</summary>
    private sealed class Issuer : IDisposable
    {
        private readonly X509SignatureGenerator _generator;
        private readonly HashAlgorithmName _hash;
        private readonly AsymmetricAlgorithm _key;

        private Issuer(AsymmetricAlgorithm key, X509SignatureGenerator generator, HashAlgorithmName hash, Issuer? above)
        {
            (_key, _generator, _hash) = (key, generator, hash);
            var name = new X500DistinguishedName($"CN=authority {Guid.NewGuid():N}");
            Certificate = (above ?? this).Sign(name, generator.PublicKey, above?.Certificate.SubjectName ?? name);
        }

        public X509Certificate2 Certificate { get; }

        public static Issuer Rsa(HashAlgorithmName hash)
        {
            RSA key = TestCertificates.Rsa2048.GetRSAPrivateKey()!;
            return new Issuer(key, X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1), hash, null);
        }

        public static Issuer Sha1()
        {
            RSA key = TestCertificates.Rsa2048.GetRSAPrivateKey()!;
            return new Issuer(key, new Sha1Generator(X509SignatureGenerator.CreateForRSA(key, RSASignaturePadding.Pkcs1)), HashAlgorithmName.SHA256, null);
        }

        public static Issuer Ecdsa(HashAlgorithmName hash, Issuer? above = null)
        {
            ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            return new Issuer(key, X509SignatureGenerator.CreateForECDsa(key), hash, above);
        }

        /// <summary>A server's certificate with a key of P-256.</summary>
        public TlsCredential Issue(X509Certificate2[]? intermediates = null)
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var name = new X500DistinguishedName($"CN={TestCertificates.ServerName}");
            using X509Certificate2 certificate = Sign(name, new CertificateRequest(name, key, _hash).PublicKey, Certificate.SubjectName);
            return new TlsCredential(certificate.CopyWithPrivateKey(key), intermediates);
        }

        public void Dispose()
        {
            Certificate.Dispose();
            _key.Dispose();
        }

        private X509Certificate2 Sign(X500DistinguishedName name, X509PublicKey key, X500DistinguishedName issuer) => new CertificateRequest(name, key, _hash)
            .Create(issuer, _generator, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1), RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>Calls its signatures those of RSA with SHA-1, which the framework's generators no longer make.</summary>
    private sealed class Sha1Generator(X509SignatureGenerator inner) : X509SignatureGenerator
    {
        public override byte[] GetSignatureAlgorithmIdentifier(HashAlgorithmName hashAlgorithm) => Convert.FromHexString("300D06092A864886F70D0101050500");

        public override byte[] SignData(byte[] data, HashAlgorithmName hashAlgorithm) => inner.SignData(data, hashAlgorithm);

        protected override X509PublicKey BuildPublicKey() => inner.PublicKey;
    }
}
