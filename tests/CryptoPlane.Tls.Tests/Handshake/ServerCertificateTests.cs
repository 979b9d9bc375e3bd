using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>What a client accepts as its server's certificate, and what it answers to the rest.</summary>
public sealed class ServerCertificateTests
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    [Theory]
    [InlineData(TestCertificates.ServerName)]
    [InlineData("127.0.0.1")]
    public void A_name_or_address_in_the_certificate_is_accepted(string name)
    {
        using TlsPair pair = Run(TlsPair.ClientOptions(name), TestCertificates.EcdsaP256);
        Assert.Null(pair.Client.Error);
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        // RFC 6066 §3: no addresses in server_name.
        Assert.Equal(name == TestCertificates.ServerName ? name : null, pair.Server.ServerName);
    }

    [Theory]
    [InlineData("other.example")]
    [InlineData("sub.server.example")]
    [InlineData("127.0.0.2")]
    [InlineData("::1")]
    public void Another_name_is_refused(string name) => ExpectRejection(TlsPair.ClientOptions(name), TestCertificates.EcdsaP256, TlsAlert.CertificateUnknown);

    [Fact]
    public void An_expired_certificate_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 expired = TestCertificates.Issue(key, HashAlgorithmName.SHA256, notAfter: DateTimeOffset.UtcNow.AddDays(-2));
        ExpectRejection(TlsPair.ClientOptions(), expired, TlsAlert.CertificateExpired);
    }

    [Fact]
    public void A_certificate_that_is_not_valid_yet_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 early = TestCertificates.Issue(key, HashAlgorithmName.SHA256, notAfter: DateTimeOffset.UtcNow.AddDays(10));
        ExpectRejection(TlsPair.ClientOptions(), early, TlsAlert.CertificateExpired);
    }

    [Fact]
    public void A_certificate_for_another_purpose_is_refused()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 client = TestCertificates.Issue(key, HashAlgorithmName.SHA256, usage: ClientAuthentication);
        ExpectRejection(TlsPair.ClientOptions(), client, TlsAlert.UnsupportedCertificate);
    }

    [Fact]
    public void A_root_that_is_not_trusted_is_refused()
    {
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName), TestCertificates.EcdsaP256, TlsAlert.UnknownCa);
        using X509Certificate2 other = TestCertificates.SelfSigned();
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [other] }, TestCertificates.EcdsaP256, TlsAlert.UnknownCa);
        ExpectRejection(TlsPair.ClientOptions(), other, TlsAlert.UnknownCa);
    }

    /// <summary>An authority that changed its key, and whose certificates do not say under which they are.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_roots_with_one_name_the_one_that_issued_counts(bool ownFirst)
    {
        using ECDsa otherKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(TestCertificates.Root.SubjectName, otherKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 other = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        X509Certificate2Collection roots = ownFirst ? [TestCertificates.Root, other] : [other, TestCertificates.Root];
        using (TlsPair pair = Run(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = roots }, TestCertificates.EcdsaP256))
            Assert.True(pair.Client.IsHandshakeComplete, pair.Client.Error?.ToString());
        // None of them has issued it: the name alone is nothing.
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [other] }, TestCertificates.EcdsaP256, TlsAlert.BadCertificate);
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [other, other] }, TestCertificates.EcdsaP256, TlsAlert.BadCertificate);
    }

    [Fact]
    public void A_pin_is_asked_for_besides_the_chain()
    {
        byte[] pin = Pin(TestCertificates.EcdsaP256);
        using (TlsPair pair = Run(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], PinnedKeys = [new byte[32], pin] }, TestCertificates.EcdsaP256))
            Assert.Null(pair.Client.Error);
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], PinnedKeys = [new byte[32]] }, TestCertificates.EcdsaP256, TlsAlert.CertificateUnknown);
        // The right key, and no chain to a root that is trusted.
        ExpectRejection(new TlsClientOptions(TestCertificates.ServerName) { PinnedKeys = [pin] }, TestCertificates.EcdsaP256, TlsAlert.UnknownCa);
    }

    [Fact]
    public void A_pinned_key_alone_is_enough_where_that_is_asked_for()
    {
        using X509Certificate2 own = TestCertificates.SelfSigned("whatever.example");
        using (TlsPair pair = Run(new TlsClientOptions("vpn.example") { PinnedKeys = [Pin(own)], TrustPinnedKeysAlone = true }, own))
        {
            Assert.Null(pair.Client.Error);
            Assert.Equal(own.RawData, pair.Client.RemoteCertificate!.RawData);
        }
        ExpectRejection(new TlsClientOptions("vpn.example") { PinnedKeys = [new byte[32]], TrustPinnedKeysAlone = true }, own, TlsAlert.CertificateUnknown);
        // Without pins the option changes nothing.
        ExpectRejection(new TlsClientOptions("vpn.example") { TrustPinnedKeysAlone = true }, own, TlsAlert.UnknownCa);
    }

    [Fact]
    public void An_intermediate_that_the_server_sends_completes_the_chain()
    {
        using ECDsa intermediateKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var intermediateRequest = new CertificateRequest("CN=CryptoPlane test intermediate", intermediateKey, HashAlgorithmName.SHA256);
        intermediateRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 intermediate = intermediateRequest.Create(TestCertificates.Root, DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1), [7]);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("*.example");
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 bare = request.Create(intermediate.SubjectName, X509SignatureGenerator.CreateForECDsa(intermediateKey), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(20), [8]);
        using X509Certificate2 leaf = bare.CopyWithPrivateKey(key);

        using (var pair = new TlsPair(TlsPair.ClientOptions(), new TlsServerOptions(new TlsCredential(leaf, [intermediate]))))
        {
            pair.Run();
            Assert.Null(pair.Client.Error);
        }
        ExpectRejection(TlsPair.ClientOptions(), leaf, TlsAlert.UnknownCa);
    }

    [Fact]
    public void The_selector_sees_the_name_and_may_refuse_it()
    {
        var p256 = new TlsCredential(TestCertificates.EcdsaP256);
        var rsa = new TlsCredential(TestCertificates.Rsa2048);
        var options = new TlsServerOptions(name => name switch { TestCertificates.ServerName => rsa, null => p256, _ => null });

        using (var pair = new TlsPair(TlsPair.ClientOptions(), options))
        {
            pair.Run();
            Assert.Equal(TlsSignatureScheme.RsaPssRsaeSha256, pair.Client.NegotiatedSignatureScheme);
        }
        using (var pair = new TlsPair(TlsPair.ClientOptions("127.0.0.1"), options))
        {
            pair.Run();
            Assert.Equal(TlsSignatureScheme.EcdsaSecp256r1Sha256, pair.Client.NegotiatedSignatureScheme);
        }
        using (var pair = new TlsPair(TlsPair.ClientOptions("other.example"), options))
        {
            pair.Run();
            Assert.Equal(TlsErrorKind.PeerAlerted, pair.Client.Error!.Kind);
            Assert.Equal(TlsAlert.UnrecognizedName, pair.Client.Error.Alert);
        }
    }

    [Fact]
    public void A_private_key_that_cannot_be_used_is_this_sides_failure()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 certificate = TestCertificates.Issue(key, HashAlgorithmName.SHA256);
        var options = new TlsServerOptions(new TlsCredential(certificate));
        certificate.Dispose();
        using var pair = new TlsPair(TlsPair.ClientOptions(), options);
        pair.Run();
        Assert.Equal(TlsErrorKind.LocalFailure, pair.Server.Error!.Kind);
        Assert.Equal(TlsAlert.InternalError, pair.Client.Error!.Alert);
    }

    [Fact]
    public void Certificates_that_cannot_sign_are_refused_when_they_are_made_ready()
    {
        using X509Certificate2 bare = X509CertificateLoader.LoadCertificate(TestCertificates.EcdsaP256.RawData);
        Assert.Throws<ArgumentException>(() => new TlsCredential(bare));
        using RSA weak = RSA.Create(1024);
        using X509Certificate2 small = new CertificateRequest("CN=small", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(1));
        Assert.Throws<ArgumentException>(() => new TlsCredential(small));
    }

    private static byte[] Pin(X509Certificate2 certificate) => SHA256.HashData(certificate.PublicKey.ExportSubjectPublicKeyInfo());

    private static TlsPair Run(TlsClientOptions client, X509Certificate2 certificate)
    {
        var pair = new TlsPair(client, TlsPair.ServerOptions(certificate));
        pair.Run();
        return pair;
    }

    private static void ExpectRejection(TlsClientOptions client, X509Certificate2 certificate, TlsAlert alert)
    {
        using TlsPair pair = Run(client, certificate);
        Assert.Equal(TlsErrorKind.CertificateRejected, pair.Client.Error!.Kind);
        Assert.Equal(alert, pair.Client.Error.Alert);
        Assert.Null(pair.Client.RemoteCertificate);
        Assert.Equal(TlsStatus.Failed, pair.ServerStatus);
        Assert.Equal(TlsErrorKind.PeerAlerted, pair.Server.Error!.Kind);
        Assert.Equal(alert, pair.Server.Error.Alert);
    }
}
