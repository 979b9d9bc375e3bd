using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.PublicKey;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Clients that show certificates to our server: which of them they show, and which it accepts (RFC 8446 §4.3.2, §4.4.2).</summary>
public sealed class ClientCertificateTests
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    public static TheoryData<TlsSignatureScheme> Schemes => [.. Enum.GetValues<TlsSignatureScheme>().Where(scheme => scheme != TlsSignatureScheme.None)];

    [Theory]
    [MemberData(nameof(Schemes))]
    public void A_certificate_of_every_kind_is_shown_and_accepted(TlsSignatureScheme scheme)
    {
        TlsCredential credential = TestCertificates.For(scheme);
        // The server asks for this scheme alone, and signs with another.
        TlsServerOptions server = Server(below: [TestCertificates.Root], schemes: [scheme, TlsSignatureScheme.EcdsaSecp256r1Sha256]);
        using TlsPair pair = Run(Client(credential), server);
        Assert.Null(pair.Client.Error);
        Assert.Null(pair.Server.Error);
        Assert.Equal(credential.Certificate.RawData, pair.Server.RemoteCertificate!.RawData);
        Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Client.RemoteCertificate!.RawData);
        // Both sides sign and verify.
        Assert.Equal(2, pair.Work.Count(work => work == TlsStatus.NeedsSignature));
        Assert.Equal(2, pair.Work.Count(work => work == TlsStatus.NeedsCertificateVerification));
        Assert.Equal([1, 2], TlsPair.Send(pair.Client, pair.Server, [1, 2]));
        Assert.Equal([3, 4], TlsPair.Send(pair.Server, pair.Client, [3, 4]));
        Assert.Equal(pair.Client.ClientFinished, pair.Server.ClientFinished);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 3)]
    public void Flights_with_a_client_certificate_may_be_cut_in_every_way(int delivery, int destination)
    {
        using var pair = new TlsPair(Client(new TlsCredential(TestCertificates.EcdsaP384)), Server([TestCertificates.Root])) { DeliverySize = delivery, DestinationSize = destination };
        pair.Run();
        Assert.Equal(TlsStatus.Complete, pair.ServerStatus);
        Assert.Equal(TestCertificates.EcdsaP384.RawData, pair.Server.RemoteCertificate!.RawData);
    }

    [Fact]
    public void A_client_without_a_certificate_is_refused_only_where_one_is_required()
    {
        using (TlsPair pair = Run(TlsPair.ClientOptions(), Server([TestCertificates.Root])))
        {
            Assert.Equal(TlsAlert.CertificateRequired, pair.Server.Error!.Alert);
            Assert.Equal(TlsErrorKind.CertificateRejected, pair.Server.Error.Kind);
        }
        using (TlsPair pair = Run(TlsPair.ClientOptions(), Server([TestCertificates.Root], required: false)))
        {
            Assert.Null(pair.Server.Error);
            Assert.True(pair.Server.IsHandshakeComplete);
            Assert.Null(pair.Server.RemoteCertificate);
        }
    }

    [Fact]
    public void The_first_credential_is_shown_that_issuer_and_schemes_allow()
    {
        using X509Certificate2 own = TestCertificates.SelfSigned("alone");
        TlsCredential self = new(own), p256 = new(TestCertificates.EcdsaP256), p384 = new(TestCertificates.EcdsaP384), rsa = new(TestCertificates.Rsa2048);
        X509Certificate2? Shown(TlsServerOptions server, params TlsCredential[] credentials)
        {
            using TlsPair pair = Run(Client(credentials), server);
            return pair.Server.RemoteCertificate is { } shown ? X509CertificateLoader.LoadCertificate(shown.RawData) : null;
        }
        Assert.Equal(p256.Certificate, Shown(Server([TestCertificates.Root]), self, p256, p384));
        Assert.Equal(p384.Certificate, Shown(Server([TestCertificates.Root]), p384, p256));
        Assert.Equal(self.Certificate, Shown(Server([TestCertificates.Root, own]), self, p256));
        Assert.Null(Shown(Server([own], required: false), p256, p384));
        // The server signs with ECDSA P-256, and verifies no other scheme: nothing is shown that it did not ask for.
        TlsServerOptions narrow = Server([TestCertificates.Root], required: false, schemes: [TlsSignatureScheme.EcdsaSecp256r1Sha256]);
        Assert.Equal(p256.Certificate, Shown(narrow, rsa, p384, p256));
        Assert.Null(Shown(narrow, rsa, p384));
        // Without names in the request the issuer does not count; the server refuses it all the same.
        using TlsPair refused = Run(Client(self), Server([TestCertificates.Root], namesRoots: false));
        Assert.Equal(TlsAlert.UnknownCa, refused.Server.Error!.Alert);
    }

    [Fact]
    public void Certificates_that_are_not_for_clients_are_refused()
    {
        Expect(null, TlsAlert.CertificateExpired, notAfter: DateTimeOffset.UtcNow.AddDays(-1));
        Expect(ServerAuthentication, TlsAlert.UnsupportedCertificate);
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 right = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "user", usage: ClientAuthentication);
        using TlsPair pair = Run(Client(new TlsCredential(right)), Server([TestCertificates.Root]));
        Assert.Equal(right.RawData, pair.Server.RemoteCertificate!.RawData);

        static void Expect(string? usage, TlsAlert alert, DateTimeOffset? notAfter = null)
        {
            using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            using X509Certificate2 wrong = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "user", notAfter, usage);
            using TlsPair pair = Run(Client(new TlsCredential(wrong)), Server([TestCertificates.Root]));
            Assert.Equal(alert, pair.Server.Error!.Alert);
            Assert.Equal(TlsErrorKind.CertificateRejected, pair.Server.Error.Kind);
            Assert.Null(pair.Server.RemoteCertificate);
        }
    }

    /// <summary>RFC 8446 §4.4.2.2.</summary>
    [Theory]
    [InlineData(X509KeyUsageFlags.KeyAgreement, false)]
    [InlineData(X509KeyUsageFlags.DigitalSignature, true)]
    public void A_key_must_be_for_signatures(X509KeyUsageFlags usage, bool accepted)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=user", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(usage, true));
        using X509Certificate2 certificate = TestCertificates.Sign(request, TestCertificates.ServerName, null, null);
        using SigningKey signingKey = SigningKey.FromDer(key.ExportPkcs8PrivateKey());
        TlsCredential credential = new(certificate, signingKey);
        using (TlsPair pair = Run(Client(credential), Server([TestCertificates.Root])))
            Assert.Equal(accepted ? null : TlsAlert.UnsupportedCertificate, pair.Server.Error?.Alert);
        using (TlsPair pair = Run(TlsPair.ClientOptions(), new TlsServerOptions(_ => credential)))
            Assert.Equal(accepted ? null : TlsAlert.UnsupportedCertificate, pair.Client.Error?.Alert);
    }

    [Fact]
    public void A_private_key_that_cannot_be_used_is_the_clients_failure()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        X509Certificate2 certificate = TestCertificates.Issue(key, HashAlgorithmName.SHA256);
        TlsClientOptions client = Client(new TlsCredential(certificate));
        certificate.Dispose();
        using TlsPair pair = Run(client, Server([TestCertificates.Root]));
        Assert.Equal(TlsErrorKind.LocalFailure, pair.Client.Error!.Kind);
        Assert.Equal(TlsAlert.InternalError, pair.Server.Error!.Alert);
        Assert.Null(pair.Server.RemoteCertificate);
    }

    [Fact]
    public void The_application_decides_with_the_chain_in_hand()
    {
        TlsServerOptions server = Decided();
        using X509Certificate2 own = TestCertificates.SelfSigned("whoever");
        using var pair = new TlsPair(Client(new TlsCredential(own, [TestCertificates.Root])), server);
        int asked = 0;
        pair.OnDecision = decision =>
        {
            asked++;
            Assert.Equal(own.RawData, decision.Certificate.RawData);
            Assert.Equal(TestCertificates.Root.RawData, Assert.Single(decision.Intermediates).RawData);
            Assert.False(decision.IsResumed);
            Assert.Throws<ArgumentOutOfRangeException>(() => decision.Refuse(TlsAlert.CloseNotify));
            decision.Accept();
            Assert.Throws<InvalidOperationException>(() => decision.Refuse());
        };
        pair.Run();
        Assert.Equal(1, asked);
        Assert.Single(pair.Work, TlsStatus.NeedsCertificateDecision);
        Assert.True(pair.Server.IsHandshakeComplete);
        Assert.Equal(own.RawData, pair.Server.RemoteCertificate!.RawData);
    }

    [Theory]
    [InlineData(TlsAlert.AccessDenied)]
    [InlineData(TlsAlert.CertificateRevoked)]
    [InlineData(TlsAlert.UnknownCa)]
    public void The_application_may_refuse(TlsAlert alert)
    {
        using var pair = new TlsPair(Client(new TlsCredential(TestCertificates.EcdsaP256)), Decided()) { OnDecision = decision => decision.Refuse(alert) };
        pair.Run();
        Assert.Equal(alert, pair.Server.Error!.Alert);
        Assert.Equal(TlsErrorKind.CertificateRejected, pair.Server.Error.Kind);
        Assert.Null(pair.Server.RemoteCertificate);
        Assert.False(pair.Server.IsHandshakeComplete);
    }

    [Fact]
    public void Without_a_decision_nobody_comes_in()
    {
        using var pair = new TlsPair(Client(new TlsCredential(TestCertificates.EcdsaP256)), Decided()) { OnDecision = decision => decision.Execute() };
        pair.Run();
        Assert.Equal(TlsErrorKind.LocalFailure, pair.Server.Error!.Kind);
        Assert.Null(pair.Server.RemoteCertificate);
    }

    [Fact]
    public void Where_there_are_roots_the_application_is_asked_behind_them()
    {
        TlsServerOptions server = Decided(TestCertificates.Root);
        using X509Certificate2 own = TestCertificates.SelfSigned();
        using (var pair = new TlsPair(Client(new TlsCredential(own)), server) { OnDecision = _ => Assert.Fail("The chain is not valid.") })
        {
            pair.Run();
            Assert.Equal(TlsAlert.CertificateRequired, pair.Server.Error!.Alert);
        }
        using (var pair = new TlsPair(Client(new TlsCredential(TestCertificates.EcdsaP256)), server))
        {
            pair.Run();
            Assert.True(pair.Server.IsHandshakeComplete);
            Assert.Single(pair.Work, TlsStatus.NeedsCertificateDecision);
        }
    }

    [Fact]
    public void Options_that_would_let_everybody_in_cannot_be_made()
    {
        Assert.Throws<ArgumentException>(() => new TlsClientAuthentication([]));
        Assert.Throws<ArgumentException>(() => new TlsClientAuthentication { ApplicationDecides = false });
        Assert.True(new TlsClientAuthentication().ApplicationDecides);
        Assert.False(new TlsClientAuthentication([TestCertificates.Root]).ApplicationDecides);
    }

    [Fact]
    public void Credentials_are_read_from_PEM()
    {
        string certificates = TestCertificates.Ed25519.Certificate.ExportCertificatePem() + "\n" + TestCertificates.Root.ExportCertificatePem();
        TlsCredential credential = TlsCredential.FromPem(certificates, TestCertificates.Ed25519.KeyPem);
        using TlsPair pair = Run(Client(credential), Server([TestCertificates.Root]));
        Assert.Equal(TestCertificates.Ed25519.Certificate.RawData, pair.Server.RemoteCertificate!.RawData);
        Assert.Throws<ArgumentException>(() => TlsCredential.FromPem(TestCertificates.EcdsaP256.ExportCertificatePem(), TestCertificates.Ed25519.KeyPem));
        Assert.Throws<ArgumentException>(() => TlsCredential.FromPem("", TestCertificates.Ed25519.KeyPem));
        Assert.Throws<ArgumentException>(() => new TlsCredential(TestCertificates.Ed25519.Certificate));
    }

    private static TlsClientOptions Client(params TlsCredential[] credentials) =>
        new(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Groups = [TlsNamedGroup.X25519], Credentials = credentials };

    private static TlsServerOptions Server(X509Certificate2Collection below, bool required = true, bool namesRoots = true, IReadOnlyList<TlsSignatureScheme>? schemes = null)
    {
        var authentication = namesRoots
            ? new TlsClientAuthentication(below) { IsRequired = required }
            : new TlsClientAuthentication(below) { IsRequired = required, Authorities = [] };
        return new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256))
        {
            ClientAuthentication = authentication,
            SignatureSchemes = schemes ?? TlsSignatureSchemes.Default,
        };
    }

    private static TlsServerOptions Decided(X509Certificate2? root = null) => new(new TlsCredential(TestCertificates.EcdsaP256))
    {
        ClientAuthentication = root == null ? new TlsClientAuthentication() : new TlsClientAuthentication([root]) { ApplicationDecides = true },
    };

    private static TlsPair Run(TlsClientOptions client, TlsServerOptions server)
    {
        var pair = new TlsPair(client, server);
        pair.Run();
        return pair;
    }
}
