using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>Sessions of clients that have shown a certificate: whoever resumes one is who it was, or makes a whole handshake.</summary>
public sealed class ClientIdentityTests : IDisposable
{
    private static readonly TlsCredential s_p256 = new(TestCertificates.EcdsaP256), s_p384 = new(TestCertificates.EcdsaP384);

    private readonly ManualClock _clock = new();
    private readonly TlsTicketKeyRing _ring = new();

    [Fact]
    public void A_resumed_connection_has_the_certificate_of_the_first()
    {
        TlsServerOptions server = Server(new TlsClientAuthentication([TestCertificates.Root]));
        TlsSession session = Take(server, s_p256);
        for (int i = 0; i < 3; i++)
        {
            using TlsPair pair = Run(server, session, s_p256);
            Assert.True(pair.Server.IsResumed);
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Server.RemoteCertificate!.RawData);
            Assert.All(pair.Work, work => Assert.Equal(TlsStatus.NeedsKeyAgreement, work));
            session.Dispose();
            Assert.True(pair.Client.TryTakeSession(out session!));
        }
        session.Dispose();
    }

    [Fact]
    public void A_client_offers_no_session_of_another_identity()
    {
        TlsServerOptions server = Server(new TlsClientAuthentication([TestCertificates.Root]) { IsRequired = false });
        using TlsSession ofP256 = Take(server, s_p256), ofNobody = Take(server);
        using (TlsPair pair = Run(server, ofP256, s_p384))
        {
            Assert.False(pair.Server.IsResumed);
            Assert.Equal(TestCertificates.EcdsaP384.RawData, pair.Server.RemoteCertificate!.RawData);
        }
        using (TlsPair pair = Run(server, ofP256))
        {
            Assert.False(pair.Server.IsResumed);
            Assert.Null(pair.Server.RemoteCertificate);
        }
        using (TlsPair pair = Run(server, ofNobody, s_p256))
        {
            Assert.False(pair.Server.IsResumed);
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Server.RemoteCertificate!.RawData);
        }
        using (TlsPair pair = Run(server, ofNobody))
        {
            Assert.True(pair.Server.IsResumed);
            Assert.Null(pair.Server.RemoteCertificate);
        }
    }

    /// <summary>The tickets are of servers with the same keys, whose rules differ: each is taken only by the rules that made it.</summary>
    [Fact]
    public void No_ticket_gets_around_the_rules_of_another_server()
    {
        using X509Certificate2 otherRoot = TestCertificates.SelfSigned("other root");
        TlsServerOptions nobody = Server(null);
        TlsServerOptions optional = Server(new TlsClientAuthentication([TestCertificates.Root]) { IsRequired = false });
        TlsServerOptions required = Server(new TlsClientAuthentication([TestCertificates.Root]));
        TlsServerOptions wider = Server(new TlsClientAuthentication([otherRoot, TestCertificates.Root]));
        TlsServerOptions decided = Server(new TlsClientAuthentication());

        using TlsSession withoutRequest = Take(nobody), anonymous = Take(optional), ofWider = Take(wider, s_p256), ofDecided = Take(decided, s_p256);
        // A client that never showed a certificate is refused where it must.
        foreach (TlsSession session in new[] { withoutRequest, anonymous })
        {
            using TlsPair pair = Run(required, session);
            Assert.False(pair.Server.IsResumed);
            Assert.Equal(TlsAlert.CertificateRequired, pair.Server.Error!.Alert);
            Assert.True(Resumes(optional, session));
            Assert.True(Resumes(nobody, session));
        }
        // One that did is known only where the same rules accepted it: elsewhere it shows its certificate again.
        foreach (TlsSession session in new[] { ofWider, ofDecided })
        {
            using TlsPair pair = Run(required, session, s_p256);
            Assert.False(pair.Server.IsResumed);
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Server.RemoteCertificate!.RawData);
            Assert.False(Resumes(nobody, session, s_p256));
        }
        using TlsSession ofRequired = Take(required, s_p256);
        // Roots in another order are the same roots; whether a certificate is required does not change who the client is.
        Assert.True(Resumes(Server(new TlsClientAuthentication([TestCertificates.Root, otherRoot])), ofWider, s_p256));
        Assert.True(Resumes(optional, ofRequired, s_p256));
        using TlsPair stricter = Run(Server(new TlsClientAuthentication([TestCertificates.Root]) { RevocationMode = X509RevocationMode.Offline }), ofRequired, s_p256);
        Assert.False(stricter.Server.IsResumed);
        // There is no list of revoked certificates to look into.
        Assert.Equal(TlsAlert.CertificateUnknown, stricter.Server.Error!.Alert);
    }

    [Fact]
    public void A_certificate_is_shown_again_after_the_lifetime_of_a_ticket_however_many_tickets_came_between()
    {
        TlsServerOptions server = Server(new TlsClientAuthentication([TestCertificates.Root]));
        TlsSession session = Take(server, s_p256);
        for (int i = 0; i < 2; i++)
        {
            _clock.Advance(server.TicketLifetime / 2);
            using TlsPair pair = Run(server, session, s_p256);
            Assert.True(pair.Server.IsResumed);
            session.Dispose();
            Assert.True(pair.Client.TryTakeSession(out session!));
        }
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(session.IsExpired);
        Assert.False(Resumes(server, session, s_p256));
        session.Dispose();
    }

    [Fact]
    public void A_certificate_that_has_ended_since_is_not_resumed()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 brief = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "user", notAfter: DateTimeOffset.UtcNow.AddHours(1));
        var credential = new TlsCredential(brief);
        // The system's clock verifies the chain, so this one starts where that is.
        _clock.Advance(DateTimeOffset.UtcNow - _clock.GetUtcNow());
        TlsServerOptions server = Server(new TlsClientAuthentication([TestCertificates.Root]));
        using TlsSession session = Take(server, credential);
        Assert.True(Resumes(server, session, credential));
        _clock.Advance(TimeSpan.FromHours(2));
        Assert.False(Resumes(server, session, credential));
    }

    [Fact]
    public void The_application_is_asked_again()
    {
        TlsServerOptions server = Server(new TlsClientAuthentication());
        using TlsSession session = Take(server, s_p256);
        bool asked = false;
        using (var pair = new TlsPair(Client(session, s_p256), server))
        {
            pair.OnDecision = decision =>
            {
                asked = true;
                Assert.True(decision.IsResumed);
                Assert.Equal(TestCertificates.EcdsaP256.RawData, decision.Certificate.RawData);
                Assert.Empty(decision.Intermediates);
                Assert.Null(pair.Server.RemoteCertificate);
                decision.Accept();
            };
            pair.Run();
            Assert.True(asked);
            Assert.True(pair.Server.IsResumed);
            Assert.True(pair.Server.IsHandshakeComplete);
            Assert.Equal(TestCertificates.EcdsaP256.RawData, pair.Server.RemoteCertificate!.RawData);
        }
        using (var pair = new TlsPair(Client(session, s_p256), server) { OnDecision = decision => decision.Refuse(TlsAlert.CertificateRevoked) })
        {
            pair.Run();
            Assert.Equal(TlsAlert.CertificateRevoked, pair.Server.Error!.Alert);
            Assert.Null(pair.Server.RemoteCertificate);
        }
    }

    [Fact]
    public void A_certificate_too_long_for_a_ticket_gets_none()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=user", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.99999.1", new byte[5000], false));
        using X509Certificate2 bare = TestCertificates.Sign(request, "user", null, null);
        using X509Certificate2 large = bare.CopyWithPrivateKey(key);
        using TlsPair pair = Run(Server(new TlsClientAuthentication([TestCertificates.Root])), null, new TlsCredential(large));
        Assert.Equal(large.RawData, pair.Server.RemoteCertificate!.RawData);
        Assert.False(pair.Client.TryTakeSession(out _));
    }

    [Fact]
    public void A_server_that_asks_behind_the_handshake_resumes_and_asks_there()
    {
        TlsServerOptions deferred = Server(new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true });
        using TlsSession session = Take(deferred, s_p256);
        using (TlsPair pair = Run(deferred, session, s_p256))
        {
            Assert.True(pair.Server.IsResumed);
            Assert.Null(pair.Server.RemoteCertificate);
            // The client does not allow it; a server that must know asks in the handshake.
            Assert.False(pair.Server.TryRequestCertificate());
        }
        using TlsPair asked = Run(Server(new TlsClientAuthentication([TestCertificates.Root])), session, s_p256);
        Assert.False(asked.Server.IsResumed);
        Assert.Equal(TestCertificates.EcdsaP256.RawData, asked.Server.RemoteCertificate!.RawData);
    }

    /// <summary>RFC 8446 §4.3.2: with a key from elsewhere no certificate can be asked for.</summary>
    [Fact]
    public void A_key_from_elsewhere_does_not_stand_for_a_certificate_that_is_required()
    {
        using var key = new TlsPreSharedKey("device"u8, RandomNumberGenerator.GetBytes(32));
        foreach (bool required in new[] { true, false })
        {
            var server = new TlsServerOptions(s_p256) { PreSharedKeys = new KeyTable(key), ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) { IsRequired = required } };
            foreach (TlsCredential[] credentials in new TlsCredential[][] { [], [s_p384] })
            {
                var client = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], PreSharedKeys = [key], Credentials = credentials };
                using var pair = new TlsPair(client, server);
                pair.Run();
                Assert.Equal(required && credentials.Length == 0 ? TlsAlert.CertificateRequired : null, pair.Server.Error?.Alert);
                Assert.Equal(required ? 0 : 6, pair.Server.PreSharedKeyIdentity.Length);
                Assert.Equal(required && credentials.Length != 0, pair.Server.RemoteCertificate != null);
            }
        }
    }

    public void Dispose()
    {
        foreach (TlsTicketKey key in _ring.Keys)
            key.Dispose();
    }

    private TlsServerOptions Server(TlsClientAuthentication? authentication) => new(new TlsCredential(TestCertificates.EcdsaP256))
    {
        Groups = [TlsNamedGroup.X25519], TicketProtector = _ring, TimeProvider = _clock, ClientAuthentication = authentication,
    };

    private TlsClientOptions Client(TlsSession? session, params TlsCredential[] credentials) => new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root], Groups = [TlsNamedGroup.X25519], KeepSessions = true, TimeProvider = _clock, Session = session, Credentials = credentials,
    };

    private TlsPair Run(TlsServerOptions server, TlsSession? session, params TlsCredential[] credentials)
    {
        var pair = new TlsPair(Client(session, credentials), server);
        pair.Run();
        Assert.Equal(pair.Server.IsResumed, pair.Client.IsResumed);
        if (pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete)
            pair.ReadTickets();
        return pair;
    }

    private bool Resumes(TlsServerOptions server, TlsSession session, params TlsCredential[] credentials)
    {
        using TlsPair pair = Run(server, session, credentials);
        Assert.Null(pair.Server.Error);
        return pair.Server.IsResumed;
    }

    private TlsSession Take(TlsServerOptions server, params TlsCredential[] credentials)
    {
        using TlsPair pair = Run(server, null, credentials);
        Assert.Null(pair.Server.Error);
        Assert.True(pair.Client.TryTakeSession(out TlsSession? session));
        return session;
    }
}
