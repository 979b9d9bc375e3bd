using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Everything that a client may do wrong in showing a certificate, and the alert that it gets for it (RFC 8446 §4.4.2, §4.4.3).</summary>
public sealed class ClientCertificateRefusalTests
{
    private const TlsSignatureScheme P256 = TlsSignatureScheme.EcdsaSecp256r1Sha256;

    private static readonly Dictionary<string, (TlsAlert Alert, Action<ScriptedClient> Script)> s_cases = new()
    {
        ["Finished in place of the Certificate"] = (TlsAlert.UnexpectedMessage, c => c.Send(c.Finished())),
        ["CertificateVerify in place of the Certificate"] = (TlsAlert.UnexpectedMessage, c => c.Send(c.CertificateVerify(Own, P256))),
        ["an empty Certificate"] = (TlsAlert.CertificateRequired, c => c.Send(ScriptedClient.Certificate(null))),
        ["a Certificate with another context"] = (TlsAlert.IllegalParameter, c => c.Send(ScriptedClient.Certificate(Own, 7))),
        ["a Certificate that is no DER"] = (TlsAlert.BadCertificate, c => { c.Send(ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 8, 0, 0, 3, 1, 2, 3, 0, 0)); Prove(c); }),
        ["a Certificate cut short"] = (TlsAlert.DecodeError, c => c.Send(ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 8, 0, 0, 3))),
        ["an extension that was not asked for"] = (TlsAlert.UnsupportedExtension, c => c.Send(ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 10, 0, 0, 1, 0x30, 0, 4, 0, 5, 0, 0))),
        ["seventeen certificates"] = (TlsAlert.BadCertificate, c => c.Send(ScriptedPeer.Build(HandshakeType.Certificate, [0, 0, 0, 102, .. Enumerable.Repeat(new byte[] { 0, 0, 1, 0x30, 0, 0 }, 17).SelectMany(entry => entry)]))),
        ["a Certificate that is too long"] = (TlsAlert.IllegalParameter, c => c.SendRecord(TlsContentType.Handshake, [11, 1, 0, 1])),
        ["two Certificates"] = (TlsAlert.UnexpectedMessage, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(ScriptedClient.Certificate(Own)); }),
        ["a certificate of a stranger"] = (TlsAlert.UnknownCa, c => { TlsCredential stranger = new(TestCertificates.SelfSigned()); c.Send(ScriptedClient.Certificate(stranger)); c.Send(c.CertificateVerify(stranger, P256)); }),

        ["no CertificateVerify"] = (TlsAlert.UnexpectedMessage, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.Finished()); }),
        ["the server's context string"] = (TlsAlert.DecryptError, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.CertificateVerify(Own, P256, asServer: true)); }),
        ["the server's own CertificateVerify sent back"] = (TlsAlert.DecryptError, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.Received.Single(m => m[0] == (byte)HandshakeType.CertificateVerify)); }),
        ["a signature by another key"] = (TlsAlert.DecryptError, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.CertificateVerify(new TlsCredential(TestCertificates.SelfSigned()), P256)); }),
        ["a signature over something else"] = (TlsAlert.DecryptError, c => { byte[] early = c.CertificateVerify(Own, P256); c.Send(ScriptedClient.Certificate(Own)); c.Send(early); }),
        ["a changed signature"] = (TlsAlert.DecryptError, c => { c.Send(ScriptedClient.Certificate(Own)); byte[] verify = c.CertificateVerify(Own, P256); verify[50] ^= 1; c.Send(verify); }),
        ["a scheme for another curve"] = (TlsAlert.IllegalParameter, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.CertificateVerify(Own, P256, claimed: TlsSignatureScheme.EcdsaSecp384r1Sha384)); }),
        ["a scheme for another kind of key"] = (TlsAlert.IllegalParameter, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.CertificateVerify(Own, P256, claimed: TlsSignatureScheme.Ed25519)); }),
        ["a scheme of id-RSASSA-PSS with an rsaEncryption key"] = (TlsAlert.IllegalParameter, c => { TlsCredential rsa = TestCertificates.For(TlsSignatureScheme.RsaPssRsaeSha256); c.Send(ScriptedClient.Certificate(rsa)); c.Send(c.CertificateVerify(rsa, TlsSignatureScheme.RsaPssRsaeSha256, claimed: TlsSignatureScheme.RsaPssPssSha256)); }),
        ["a scheme that was not asked for"] = (TlsAlert.IllegalParameter, c => { TlsCredential p521 = TestCertificates.For(TlsSignatureScheme.EcdsaSecp521r1Sha512); c.Send(ScriptedClient.Certificate(p521)); c.Send(c.CertificateVerify(p521, TlsSignatureScheme.EcdsaSecp521r1Sha512)); }),
        ["RSA PKCS #1 v1.5, which is for certificates only"] = (TlsAlert.IllegalParameter, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(c.CertificateVerify(Own, P256, claimed: (TlsSignatureScheme)0x0401)); }),
        ["a CertificateVerify cut short"] = (TlsAlert.DecodeError, c => { c.Send(ScriptedClient.Certificate(Own)); c.Send(ScriptedPeer.Build(HandshakeType.CertificateVerify, 4, 3, 0, 9)); }),
        ["a CertificateVerify that is too long"] = (TlsAlert.IllegalParameter, c => { c.Send(ScriptedClient.Certificate(Own)); c.SendRecord(TlsContentType.Handshake, [15, 0, 0x40, 1]); }),

        ["a wrong Finished"] = (TlsAlert.DecryptError, c => { c.Send(ScriptedClient.Certificate(Own)); Prove(c); byte[] finished = c.Finished(); finished[10] ^= 1; c.Send(finished); }),
        ["a Finished without the Certificate in it"] = (TlsAlert.DecryptError, c => { byte[] early = c.Finished(); c.Send(ScriptedClient.Certificate(Own)); Prove(c); c.Send(early); }),
        ["application data before the Finished"] = (TlsAlert.UnexpectedMessage, c => { c.Send(ScriptedClient.Certificate(Own)); Prove(c); c.SendRecord(TlsContentType.ApplicationData, "early"u8); }),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    private static TlsCredential Own => TestCertificates.For(P256);

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_client_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<ScriptedClient> script) = s_cases[name];
        using var client = new ScriptedClient();
        using var server = new TlsServer(Options());
        Begin(client, server);
        script(client);
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out byte[] answer));
        Assert.Equal(alert, server.Error!.Alert);
        Assert.False(server.IsHandshakeComplete);
        Assert.Null(server.PendingWork);
        client.Feed(answer);
        Assert.Equal(alert, client.ReceivedAlert);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_certificate_with_a_date_that_is_none_is_refused_also_where_the_application_decides(int which)
    {
        byte[] certificate = Own.Certificate.RawData;
        // Of notBefore or notAfter (UTCTime, 13 bytes) the month. What a date alone begins with may be in the serial number, which is random.
        int validity = certificate.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x30, 30, 0x17, 13]);
        certificate[validity + (which * 15) + 6] = (byte)'9';
        using var client = new ScriptedClient();
        using var server = new TlsServer(new TlsServerOptions(Own) { ClientAuthentication = new TlsClientAuthentication() });
        Begin(client, server);
        client.Send(ScriptedPeer.Build(writer => CertificateMessage.Write(writer, [], [certificate])));
        Prove(client);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out _));
        Assert.Equal(TlsAlert.BadCertificate, server.Error!.Alert);
    }

    [Fact]
    public void The_right_messages_are_accepted_in_one_record_or_in_many()
    {
        foreach (int fragment in new[] { 1, 50, 16_384 })
        {
            using var client = new ScriptedClient();
            using var server = new TlsServer(Options());
            Begin(client, server);
            client.Send(ScriptedClient.Certificate(Own), fragment);
            client.Send(client.CertificateVerify(Own, P256), fragment);
            client.Send(client.Finished(), fragment);
            Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
            Assert.Equal(TestCertificates.EcdsaP256.RawData, server.RemoteCertificate!.RawData);
        }
        using var one = new ScriptedClient();
        using var other = new TlsServer(Options());
        Begin(one, other);
        byte[] certificate = ScriptedClient.Certificate(Own);
        one.Context.Transcript.Append(certificate);
        byte[] verify = one.CertificateVerify(Own, P256);
        one.Context.Transcript.Append(verify);
        one.SendRecord(TlsContentType.Handshake, [.. certificate, .. verify, .. one.Finished()]);
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(other, one.Take(), out _));
    }

    [Fact]
    public void A_Certificate_that_was_not_asked_for_is_unexpected()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        Begin(client, server);
        client.Send(ScriptedClient.Certificate(Own));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out _));
        Assert.Equal(TlsAlert.UnexpectedMessage, server.Error!.Alert);
    }

    /// <summary>RFC 8446 §4.3.2: extensions that are not known are ignored, and a context of nothing is echoed.</summary>
    [Fact]
    public void A_request_with_GREASE_is_answered()
    {
        var options = new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = [Own] };
        using var client = new TlsClient(options);
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions());
        server.Send(ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 25, 0x0A, 0x0A, 0, 1, 0, 0, 13, 0, 6, 0, 4, 0x1A, 0x1A, 4, 3, 0, 48, 0, 2, 0, 0, 0x2A, 0x2A, 0, 0));
        server.Send(server.Certificate());
        server.Send(server.CertificateVerify());
        server.Send(server.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out byte[] flight));
        server.Feed(flight);
        Assert.Equal([(byte)HandshakeType.Certificate, (byte)HandshakeType.CertificateVerify, (byte)HandshakeType.Finished], server.Received.Skip(1).Select(message => message[0]));
        Assert.Equal(0, server.Received[1][4]);
    }

    private static TlsServerOptions Options() => new(new TlsCredential(TestCertificates.EcdsaP256))
    {
        ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]),
        SignatureSchemes = [.. TlsSignatureSchemes.Default.Where(scheme => scheme != TlsSignatureScheme.EcdsaSecp521r1Sha512)],
    };

    private static void Begin(ScriptedClient client, TlsServer server)
    {
        client.Send(client.Hello().ToMessage());
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out byte[] flight));
        client.TakeFlight(flight);
    }

    private static void Prove(ScriptedClient client) => client.Send(client.CertificateVerify(Own, P256));
}
