using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>OCSP responses that <c>openssl ocsp</c> makes, with our certificates and OpenSSL's, and what a client makes of them.</summary>
public sealed class OcspStaplingTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    private static readonly long s_now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Theory]
    [InlineData(TlsOcspStapling.Requested, false)]
    [InlineData(TlsOcspStapling.Required, false)]
    [InlineData(TlsOcspStapling.Required, true)]
    public void A_good_response_goes_along_and_may_be_replaced(TlsOcspStapling stapling, bool compressed)
    {
        var certificate = new TlsCredential(TestCertificates.EcdsaP256);
        for (int i = 0; i < 2; i++)
        {
            byte[] response = Make('V');
            certificate.SetOcspResponse(response);
            using TlsPair pair = Run(certificate, stapling, compressed);
            Assert.True(pair.Client.IsHandshakeComplete && pair.Server.IsHandshakeComplete, $"{pair.Client.Error} {pair.Server.Error}");
            Assert.Equal(compressed, pair.Client.CertificateCompression != TlsCertificateCompression.None);
            Assert.Equal(response, pair.Client.OcspResponse);
        }
        using TlsPair without = Run(certificate, TlsOcspStapling.None, compressed);
        Assert.True(without.Client.IsHandshakeComplete && without.Client.OcspResponse.IsEmpty);
        certificate.SetOcspResponse([]);
        using TlsPair gone = Run(certificate, stapling, compressed);
        Assert.Equal(stapling == TlsOcspStapling.Required ? TlsAlert.BadCertificateStatusResponse : null, gone.Client.Error?.Alert);
        Assert.Throws<ArgumentException>(() => certificate.SetOcspResponse(new byte[16_385]));
    }

    [Theory]
    [InlineData('R', TlsAlert.CertificateRevoked)]
    [InlineData('U', TlsAlert.BadCertificateStatusResponse)]
    public void A_certificate_that_is_not_good_is_refused(char status, TlsAlert alert)
    {
        var certificate = new TlsCredential(TestCertificates.EcdsaP256);
        certificate.SetOcspResponse(Make(status));
        using TlsPair pair = Run(certificate, TlsOcspStapling.Requested, compressed: false);
        Assert.Equal(alert, pair.Client.Error!.Alert);
        Assert.Equal(TlsErrorKind.CertificateRejected, pair.Client.Error.Kind);
        Assert.Equal(alert, pair.Server.Error!.Alert);
    }

    [Fact]
    public void A_response_is_for_its_time_its_certificate_and_its_issuer()
    {
        byte[] good = Make('V'), revoked = Make('R');
        X509Certificate2 certificate = TestCertificates.EcdsaP256, root = TestCertificates.Root;
        const long Day = 86_400_000;
        Assert.Equal(OcspVerdict.Good, OcspResponse.Check(good, certificate, root, s_now));
        Assert.Equal(OcspVerdict.Revoked, OcspResponse.Check(revoked, certificate, root, s_now));
        Assert.Equal(OcspVerdict.NotCurrent, OcspResponse.Check(good, certificate, root, s_now + (2 * Day)));
        Assert.Equal(OcspVerdict.NotCurrent, OcspResponse.Check(good, certificate, root, s_now - Day));
        Assert.Equal(OcspVerdict.Revoked, OcspResponse.Check(revoked, certificate, root, s_now + (2 * Day)));
        Assert.Equal(OcspVerdict.Unknown, OcspResponse.Check(good, TestCertificates.EcdsaP384, root, s_now));
        using X509Certificate2 stranger = TestCertificates.SelfSigned();
        Assert.Equal(OcspVerdict.NotSigned, OcspResponse.Check(good, certificate, stranger, s_now));
        // What a responder says that cannot answer: tryLater.
        Assert.Equal(OcspVerdict.Malformed, OcspResponse.Check((byte[])[0x30, 3, 0x0A, 1, 3], certificate, root, s_now));
    }

    [Theory]
    [InlineData("1.3.6.1.5.5.7.3.9", true)]
    [InlineData("1.3.6.1.5.5.7.3.1", false)]
    [InlineData(null, false)]
    public void A_responder_needs_a_certificate_for_it(string? usage, bool accepted)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 responder = TestCertificates.Issue(key, HashAlgorithmName.SHA256, "responder.example", usage: usage);
        byte[] response = Make('V', responder);
        Assert.Equal(accepted ? OcspVerdict.Good : OcspVerdict.NotSigned, OcspResponse.Check(response, TestCertificates.EcdsaP256, TestCertificates.Root, s_now));
        Assert.Equal(OcspVerdict.NotSigned, OcspResponse.Check(response, TestCertificates.EcdsaP256, TestCertificates.Root, s_now + (10L * 86_400_000)));
    }

    [Fact]
    public void Responses_that_are_cut_or_changed_are_refused_and_never_an_exception()
    {
        byte[] good = Make('V');
        for (int length = 0; length < good.Length; length++)
            Assert.NotEqual(OcspVerdict.Good, OcspResponse.Check(good.AsMemory(0, length), TestCertificates.EcdsaP256, TestCertificates.Root, s_now));
        Assert.Equal(OcspVerdict.Malformed, OcspResponse.Check((byte[])[.. good, 0], TestCertificates.EcdsaP256, TestCertificates.Root, s_now));
        int same = 0;
        for (int i = 0; i < good.Length; i++)
        {
            byte[] changed = (byte[])good.Clone();
            changed[i] ^= (byte)(1 << (i % 8));
            same += OcspResponse.Check(changed, TestCertificates.EcdsaP256, TestCertificates.Root, s_now) == OcspVerdict.Good ? 1 : 0;
        }
        // Only what nobody has signed may change: the certificates behind the signature, which are not needed here.
        Assert.InRange(same, 0, good.Length * 2 / 3);
    }

    [Theory]
    [InlineData(new byte[] { 2, 0, 0, 1, 9 })]
    [InlineData(new byte[] { 1, 0, 0, 0 })]
    [InlineData(new byte[] { 1, 0, 0, 2, 9 })]
    public void A_malformed_entry_gets_the_right_alert(byte[] status)
    {
        using var client = new TlsClient(Client(TlsOcspStapling.Requested, compressed: false));
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions());
        server.Send(ScriptedPeer.Build(writer =>
        {
            WireWriter.LengthScope message = writer.BeginMessage(HandshakeType.Certificate);
            writer.WriteVector8([]);
            WireWriter.LengthScope list = writer.Begin(3);
            writer.WriteBytes([0, 0, 1, 0x30, 0, (byte)(4 + status.Length), 0, 5, 0, (byte)status.Length, .. status]);
            writer.End(list);
            writer.End(message);
        }));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.DecodeError, client.Error!.Alert);
    }

    [Fact]
    public async Task OpenSsls_client_sees_ours()
    {
        var certificate = new TlsCredential(TestCertificates.EcdsaP256);
        certificate.SetOcspResponse(Make('V'));
        using var server = new InteropServer(new TlsServerOptions(certificate), socket =>
        {
            socket.ReadUntil("hello\n");
            socket.Write("welcome\n"u8);
            socket.Close();
        });
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"),
            ["s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_3", "-status", "-CAfile", files.Root, "-servername", InteropCases.ServerName]);
        client.Write("hello\n");
        client.WaitForOutput("welcome");
        await server.Completion;
        client.CloseInput();
        Assert.Contains("Cert Status: good", client.WaitForExit().Output, StringComparison.Ordinal);
    }

    [Fact]
    public void We_check_OpenSsl_servers()
    {
        int port = FreePort.Tcp();
        string file = files.NewFile();
        File.WriteAllBytes(file, Make('V'));
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", $"127.0.0.1:{port}", "-naccept", "1", "-tls1_3", "-rev", "-status_file", file,
            "-cert", files.CertificateOf("p256"), "-key", files.KeyOf("p256"),
        ]);
        using TlsSocket socket = TlsSocket.Connect(port, Client(TlsOcspStapling.Required, compressed: false));
        Assert.Equal(File.ReadAllBytes(file), ((TlsClient)socket.Connection).OcspResponse);
        socket.Write("hello\n"u8);
        socket.ReadUntil("olleh");
        socket.Close();
    }

    private static TlsClientOptions Client(TlsOcspStapling stapling, bool compressed) => new(InteropCases.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        OcspStapling = stapling,
        CertificateCompression = compressed ? [TlsCertificateCompression.Brotli] : [],
    };

    private static TlsPair Run(TlsCredential certificate, TlsOcspStapling stapling, bool compressed)
    {
        var pair = new TlsPair(Client(stapling, compressed), new TlsServerOptions(certificate));
        pair.Run();
        return pair;
    }

    /// <summary>A response for the P-256 certificate: V for good, R for revoked, U for one that the responder does not know.</summary>
    private byte[] Make(char status, X509Certificate2? responder = null)
    {
        string index = files.NewFile(), key = files.NewFile(), response = files.NewFile(), signer = files.NewFile();
        string serial = status == 'U' ? "0BAD" : TestCertificates.EcdsaP256.SerialNumber;
        string revoked = status == 'R' ? DateTimeOffset.UtcNow.AddHours(-1).ToString("yyMMddHHmmss'Z'", CultureInfo.InvariantCulture) : "";
        File.WriteAllText(index, $"{(status == 'U' ? 'V' : status)}\t{DateTimeOffset.UtcNow.AddDays(2):yyMMddHHmmss}Z\t{revoked}\t{serial}\tunknown\t/CN={InteropCases.ServerName}\n");
        X509Certificate2 signs = responder ?? TestCertificates.Root;
        using ECDsa privateKey = signs.GetECDsaPrivateKey()!;
        File.WriteAllText(key, privateKey.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(signer, signs.ExportCertificatePem());
        using ExternalProgram program = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "ocsp", "-index", index, "-CA", files.Root, "-rsigner", signer, "-rkey", key, "-issuer", files.Root, "-cert", files.CertificateOf("p256"),
            "-no_nonce", "-ndays", "1", "-noverify", "-respout", response,
        ]);
        program.WaitForExit().EnsureSuccess();
        return File.ReadAllBytes(response);
    }
}
