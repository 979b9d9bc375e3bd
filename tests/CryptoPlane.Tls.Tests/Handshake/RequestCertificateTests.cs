using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Our server asks for a certificate behind the handshake (RFC 8446 §4.6.2).</summary>
public sealed class RequestCertificateTests
{
    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP384);

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void The_certificate_is_there_once_the_client_has_answered(bool retried, bool decides)
    {
        using TlsPair pair = Connect(Client(retried), Server(new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true, ApplicationDecides = decides }));
        Assert.Null(pair.Server.RemoteCertificate);
        Assert.Equal(retried, pair.Server.WasRetried);
        Assert.True(pair.Server.TryRequestCertificate());
        Assert.True(pair.Server.IsCertificateRequested);
        // Data goes on in both directions, under new keys as well.
        Assert.Equal([1], TlsPair.Send(pair.Client, pair.Server, [1]));
        pair.Client.UpdateKeys(requestPeer: true);
        Assert.Equal([2], TlsPair.Send(pair.Client, pair.Server, [2]));
        Assert.Equal([TlsStatus.NeedsSignature], Exchange(pair.Server, pair.Client));
        TlsStatus[] work = decides
            ? [TlsStatus.NeedsCertificateVerification, TlsStatus.NeedsCertificateDecision]
            : [TlsStatus.NeedsCertificateVerification];
        Assert.Equal(work, Exchange(pair.Client, pair.Server));
        Assert.False(pair.Server.IsCertificateRequested);
        Assert.Equal(TestCertificates.EcdsaP384.RawData, pair.Server.RemoteCertificate!.RawData);
        Assert.Equal([3], TlsPair.Send(pair.Server, pair.Client, [3]));
        Assert.Equal([4], TlsPair.Send(pair.Client, pair.Server, [4]));
        Assert.Throws<InvalidOperationException>(() => pair.Server.TryRequestCertificate());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_without_a_certificate_is_refused_only_where_one_is_required(bool required)
    {
        using TlsPair pair = Connect(Client(credentials: []), Server(new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true, IsRequired = required }));
        Assert.True(pair.Server.TryRequestCertificate());
        Assert.Empty(Exchange(pair.Server, pair.Client));
        Assert.Empty(Exchange(pair.Client, pair.Server));
        Assert.Equal(required ? TlsAlert.CertificateRequired : null, pair.Server.Error?.Alert);
        Assert.Null(pair.Server.RemoteCertificate);
        if (!required)
            Assert.Equal([4], TlsPair.Send(pair.Client, pair.Server, [4]));
    }

    /// <summary>RFC 8446 §4.2.5: the request's filters, here for a usage that the certificate does not have.</summary>
    [Theory]
    [InlineData(X509KeyUsageFlags.None)]
    [InlineData(X509KeyUsageFlags.DigitalSignature)]
    public void The_usages_that_are_asked_for_count_behind_the_handshake_as_well(X509KeyUsageFlags usages)
    {
        var deferred = new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true, IsRequired = false, RequiredKeyUsages = usages };
        using TlsPair pair = Connect(Client(), Server(deferred));
        Assert.True(pair.Server.TryRequestCertificate());
        Exchange(pair.Server, pair.Client);
        Exchange(pair.Client, pair.Server);
        Assert.Null(pair.Server.Error);
        Assert.False(pair.Server.IsCertificateRequested);
        Assert.Equal(usages == X509KeyUsageFlags.None, pair.Server.RemoteCertificate is not null);
    }

    [Fact]
    public void The_application_may_refuse()
    {
        using TlsPair pair = Connect(Client(), Server(new TlsClientAuthentication { IsDeferred = true }));
        Assert.True(pair.Server.TryRequestCertificate());
        Exchange(pair.Server, pair.Client);
        Exchange(pair.Client, pair.Server, decision => decision.Refuse(TlsAlert.CertificateRevoked));
        Assert.Equal(TlsAlert.CertificateRevoked, pair.Server.Error!.Alert);
        Assert.Null(pair.Server.RemoteCertificate);
        Exchange(pair.Server, pair.Client);
        Assert.Equal(TlsAlert.CertificateRevoked, pair.Client.Error!.Alert);
    }

    [Fact]
    public void Only_clients_that_allow_it_are_asked()
    {
        var deferred = new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true };
        using (TlsPair pair = Connect(TlsPair.ClientOptions(), Server(deferred)))
        {
            Assert.False(pair.Server.TryRequestCertificate());
            Assert.False(pair.Server.IsCertificateRequested);
            Assert.Equal([4], TlsPair.Send(pair.Server, pair.Client, [4]));
        }
        using (TlsPair pair = Connect(Client(), TlsPair.ServerOptions()))
            Assert.Throws<InvalidOperationException>(() => pair.Server.TryRequestCertificate());
        using (var early = new TlsServer(Server(deferred)))
            Assert.Throws<InvalidOperationException>(() => early.TryRequestCertificate());
    }

    private static readonly Dictionary<string, (TlsAlert Alert, Action<ScriptedClient, TranscriptHash, byte[]> Script)> s_refusals = new()
    {
        ["another context"] = (TlsAlert.IllegalParameter, (c, t, context) => Send(c, t, ScriptedClient.Certificate(s_credential, [.. context[..^1], (byte)(context[^1] ^ 1)]))),
        ["no context"] = (TlsAlert.IllegalParameter, (c, t, _) => Send(c, t, ScriptedClient.Certificate(s_credential))),
        ["a Certificate cut short"] = (TlsAlert.DecodeError, (c, t, _) => Send(c, t, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 8, 0))),
        ["a Certificate that is too long"] = (TlsAlert.IllegalParameter, (c, _, _) => c.SendRecord(TlsContentType.Handshake, [11, 1, 0, 1])),
        ["Finished at once"] = (TlsAlert.UnexpectedMessage, (c, t, _) => Send(c, t, Finished(c, t))),
        ["no CertificateVerify"] = (TlsAlert.UnexpectedMessage, (c, t, context) => { Send(c, t, ScriptedClient.Certificate(s_credential, context)); Send(c, t, Finished(c, t)); }),
        ["a signature over the main handshake alone"] = (TlsAlert.DecryptError, (c, t, context) => { Send(c, t, ScriptedClient.Certificate(s_credential, context)); Send(c, t, c.CertificateVerify(s_credential, TlsSignatureScheme.EcdsaSecp384r1Sha384)); }),
        ["a scheme that was not asked for"] = (TlsAlert.IllegalParameter, (c, t, context) => { Send(c, t, ScriptedClient.Certificate(s_credential, context)); Send(c, t, c.CertificateVerify(s_credential, TlsSignatureScheme.EcdsaSecp384r1Sha384, claimed: (TlsSignatureScheme)0x0401)); }),
        ["a wrong Finished"] = (TlsAlert.DecryptError, (c, t, context) => { Prove(c, t, context); byte[] finished = Finished(c, t); finished[9] ^= 1; Send(c, t, finished); }),
        ["a short Finished"] = (TlsAlert.DecodeError, (c, t, context) => { Prove(c, t, context); Send(c, t, ScriptedPeer.Build(HandshakeType.Finished, 1)); }),
        ["another answer behind it"] = (TlsAlert.UnexpectedMessage, (c, t, context) => { Prove(c, t, context); Send(c, t, Finished(c, t)); Send(c, t, ScriptedClient.Certificate(s_credential, context)); }),
        ["another message"] = (TlsAlert.UnexpectedMessage, (c, t, _) => Send(c, t, ScriptedPeer.Build(HandshakeType.EncryptedExtensions, 0, 0))),
    };

    public static TheoryData<string> Refusals => [.. s_refusals.Keys];

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_wrong_answer_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<ScriptedClient, TranscriptHash, byte[]> script) = s_refusals[name];
        using var client = new ScriptedClient(Client());
        using var server = new TlsServer(Server(new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true }));
        client.Context.Transcript.KeepMessages();
        client.Send(client.Hello().ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
        client.Context.ChangeWriteKeys(client.Application.Client);
        client.Context.KeepMainTranscript();

        Assert.True(server.TryRequestCertificate());
        client.Feed(Flush(server));
        byte[] request = client.Received[^1];
        Assert.Null(CertificateRequestMessage.Parse(request.AsSpan(4), out CertificateRequestMessage parsed));
        using TranscriptHash transcript = client.Context.MainTranscript!.Begin();
        transcript.Append(request);
        script(client, transcript, parsed.Context.ToArray());
        Read(server, client.Take(), decision => decision.Accept());
        Assert.Equal(alert, server.Error!.Alert);
        client.Feed(Flush(server));
        Assert.Equal(alert, client.ReceivedAlert);
    }

    private static void Send(ScriptedClient client, TranscriptHash transcript, byte[] message)
    {
        transcript.Append(message);
        client.SendRecord(TlsContentType.Handshake, message);
    }

    private static void Prove(ScriptedClient client, TranscriptHash transcript, byte[] context)
    {
        Send(client, transcript, ScriptedClient.Certificate(s_credential, context));
        byte[] digest = new byte[48], signature = new byte[256];
        int length = s_credential.Sign(TlsSignatureScheme.EcdsaSecp384r1Sha384, CertificateVerifyMessage.ClientSignedContent(transcript.Snapshot(digest)), signature);
        Send(client, transcript, ScriptedPeer.Build(writer => CertificateVerifyMessage.Write(writer, TlsSignatureScheme.EcdsaSecp384r1Sha384, signature.AsSpan(0, length))));
    }

    private static byte[] Finished(ScriptedClient client, TranscriptHash transcript)
    {
        byte[] digest = new byte[48], verifyData = new byte[client.Application.Client.Hash.Length()];
        client.Application.Client.ComputeFinished(transcript.Snapshot(digest), verifyData);
        return ScriptedPeer.Build(HandshakeType.Finished, verifyData);
    }

    private static TlsClientOptions Client(bool retried = false, TlsCredential[]? credentials = null) => new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        Groups = retried ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519],
        KeyShareGroups = [retried ? TlsNamedGroup.Secp384r1 : TlsNamedGroup.X25519],
        Credentials = credentials ?? [s_credential],
        AllowPostHandshakeAuthentication = true,
    };

    private static TlsServerOptions Server(TlsClientAuthentication authentication) =>
        new(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [TlsNamedGroup.X25519], ClientAuthentication = authentication };

    private static TlsPair Connect(TlsClientOptions client, TlsServerOptions server)
    {
        var pair = new TlsPair(client, server);
        pair.Run();
        Assert.True(pair.Server.IsHandshakeComplete);
        Assert.DoesNotContain(pair.Work.Skip(pair.Work.Count - 1), work => work == TlsStatus.NeedsCertificateDecision);
        return pair;
    }

    /// <summary>Gives one side what the other has to say, and does the work that it takes.</summary>
    private static List<TlsStatus> Exchange(TlsConnection from, TlsConnection to, Action<TlsCertificateDecision>? decide = null) =>
        Read(to, Flush(from), decide ?? (decision => decision.Accept()));

    private static List<TlsStatus> Read(TlsConnection connection, byte[] wire, Action<TlsCertificateDecision> decide)
    {
        List<TlsStatus> work = [];
        byte[] data = new byte[TlsConnection.MaxPlaintextSize];
        int start = 0;
        while (true)
        {
            TlsStatus status = connection.Read(wire.AsSpan(start), data, out int consumed, out _);
            start += consumed;
            if (connection.PendingWork is not { IsDone: false } pending)
            {
                Assert.True(status is TlsStatus.NeedMoreData or TlsStatus.Failed, status.ToString());
                return work;
            }
            work.Add(status);
            if (pending is TlsCertificateDecision decision)
                decide(decision);
            else
                pending.Execute();
        }
    }

    private static byte[] Flush(TlsConnection connection)
    {
        byte[] wire = new byte[70_000];
        connection.Flush(wire, out int written);
        return wire[..written];
    }
}
