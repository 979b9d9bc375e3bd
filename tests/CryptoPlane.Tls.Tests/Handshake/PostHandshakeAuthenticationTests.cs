using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Servers that ask for a certificate behind the handshake (RFC 8446 §4.2.6, §4.6.2).</summary>
public sealed class PostHandshakeAuthenticationTests
{
    private static readonly TlsCredential s_credential = new(TestCertificates.EcdsaP384);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_request_is_answered_with_certificate_signature_and_Finished(bool retried)
    {
        using TlsClient client = new(Options(retried));
        using ScriptedServer server = new(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [TlsNamedGroup.X25519] });
        MainTranscript main = Connect(client, server, retried);
        // Under the first keys, then under updated ones, whose secret the Finished is under.
        Assert.Equal(TestCertificates.EcdsaP384.RawData, Authenticate(client, server, main, [1, 2, 3], server.Application.Client.Value.ToArray()));
        client.UpdateKeys();
        byte[] updated = server.Application.Client.Value.ToArray();
        TrafficKeys.Advance(server.Application.Client.Hash, updated);
        server.Feed(Flush(client));
        server.Records.ChangeReadKeys(server.Context.CipherSuite, updated, TlsTrafficUse.ReadHandshake, keepTickets: false);
        Assert.Equal(TestCertificates.EcdsaP384.RawData, Authenticate(client, server, main, [], updated));
        // The connection goes on.
        server.SendRecord(TlsContentType.ApplicationData, "data"u8);
        Assert.Equal("data"u8.ToArray(), TlsPair.Receive(client, server.Take(), out _));
    }

    [Fact]
    public void Without_a_certificate_that_fits_the_answer_is_empty_and_needs_no_work()
    {
        using TlsClient client = new(Options(retried: false, []));
        using ScriptedServer server = new(TlsPair.ServerOptions());
        MainTranscript main = Connect(client, server);
        Assert.Null(Authenticate(client, server, main, [9], server.Application.Client.Value.ToArray()));
    }

    [Fact]
    public void Requests_in_one_record_are_answered_one_by_one_and_data_waits()
    {
        using TlsClient client = new(Options());
        using ScriptedServer server = new(TlsPair.ServerOptions());
        Connect(client, server);
        server.SendRecord(TlsContentType.Handshake, [.. Request(1), .. Request(2)]);
        byte[] third = Request(3);
        server.SendRecord(TlsContentType.Handshake, third.AsSpan(0, 6));
        server.SendRecord(TlsContentType.Handshake, third.AsSpan(6));
        server.SendRecord(TlsContentType.ApplicationData, "data"u8);
        byte[] wire = server.Take(), data = new byte[TlsConnection.MaxPlaintextSize];
        int start = 0, signed = 0;
        TlsStatus status;
        while ((status = client.Read(wire.AsSpan(start), data, out int consumed, out int written)) == TlsStatus.NeedsSignature)
        {
            start += consumed;
            Assert.Equal(0, written);
            client.PendingWork!.Execute();
            signed++;
        }
        Assert.Equal(TlsStatus.Complete, status);
        Assert.Equal(3, signed);
        server.Feed(Flush(client));
        Assert.Equal(
            [.. Enumerable.Repeat(new[] { HandshakeType.Certificate, HandshakeType.CertificateVerify, HandshakeType.Finished }, 3).SelectMany(types => types)],
            server.Received.Skip(2).Select(message => (HandshakeType)message[0]));
        Assert.Equal([1, 2, 3], server.Received.Where(message => message[0] == (byte)HandshakeType.Certificate).Select(message => (int)message[5]));
    }

    public static TheoryData<string> Refusals => [.. s_refusals.Keys];

    private static readonly Dictionary<string, (TlsAlert Alert, byte[] Message)> s_refusals = new()
    {
        ["no signature_algorithms"] = (TlsAlert.MissingExtension, ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 0)),
        ["bytes behind it"] = (TlsAlert.DecodeError, ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3, 0)),
        ["nothing in it"] = (TlsAlert.DecodeError, ScriptedPeer.Build(HandshakeType.CertificateRequest)),
        ["another message"] = (TlsAlert.UnexpectedMessage, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 0)),
        ["one that is too long"] = (TlsAlert.IllegalParameter, [13, 1, 0, 1]),
        ["too many of them"] = (TlsAlert.UnexpectedMessage, [.. Enumerable.Range(0, 40).SelectMany(_ => Request(1, scheme: 0x1A1A))]),
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public void A_wrong_request_gets_the_right_alert(string name)
    {
        (TlsAlert alert, byte[] message) = s_refusals[name];
        using TlsClient client = new(Options());
        using ScriptedServer server = new(TlsPair.ServerOptions());
        Connect(client, server);
        server.SendRecord(TlsContentType.Handshake, message);
        TlsPair.Receive(client, server.Take(), out TlsStatus status);
        Assert.Equal(TlsStatus.Failed, status);
        Assert.Equal(alert, client.Error!.Alert);
        server.Feed(Flush(client));
        Assert.Equal(alert, server.ReceivedAlert);
    }

    [Fact]
    public void A_client_that_has_not_offered_it_refuses_every_request()
    {
        foreach (bool keepSessions in new[] { false, true })
        {
            using TlsClient client = new(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = [s_credential], KeepSessions = keepSessions });
            using ScriptedServer server = new(TlsPair.ServerOptions());
            Connect(client, server);
            server.SendRecord(TlsContentType.Handshake, Request(1));
            TlsPair.Receive(client, server.Take(), out TlsStatus status);
            Assert.Equal(TlsStatus.Failed, status);
            Assert.Equal(TlsAlert.UnexpectedMessage, client.Error!.Alert);
        }
    }

    [Fact]
    public unsafe void A_connection_is_not_detached_while_its_answer_waits_and_an_lcore_refuses_requests()
    {
        using TlsClient client = new(Options());
        using ScriptedServer server = new(TlsPair.ServerOptions());
        Connect(client, server);
        server.SendRecord(TlsContentType.Handshake, Request(1));
        TlsPair.Receive(client, server.Take(), out TlsStatus status);
        Assert.Equal(TlsStatus.NeedsSignature, status);
        byte* memory = (byte*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(2 * TlsTrafficState.SizeInBytes, 64);
        var states = (TlsTrafficState*)memory;
        Assert.Throws<InvalidOperationException>(() => client.DetachTraffic((TlsTrafficState*)memory, (TlsTrafficState*)memory + 1));
        client.PendingWork!.Execute();
        TlsPair.Receive(client, [], out _);
        Flush(client);
        client.DetachTraffic(states, states + 1);
        Assert.Equal(TlsTrafficFlags.None, states[0].Flags & (TlsTrafficFlags.TakesCertificateRequests | TlsTrafficFlags.GivesTickets));
        states[0].Release(ControlWorkspace.Current.Engine);
        states[1].Release(ControlWorkspace.Current.Engine);
        System.Runtime.InteropServices.NativeMemory.AlignedFree(memory);
    }

    private static TlsClientOptions Options(bool retried = false, TlsCredential[]? credentials = null) => new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        Groups = retried ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519],
        KeyShareGroups = [retried ? TlsNamedGroup.Secp384r1 : TlsNamedGroup.X25519],
        Credentials = credentials ?? [s_credential],
        AllowPostHandshakeAuthentication = true,
    };

    private static byte[] Request(byte context, int scheme = 0x0503) => ScriptedPeer.Build(HandshakeType.CertificateRequest,
        1, context, 0, 18, 0, 13, 0, 4, 0, 2, (byte)(scheme >> 8), (byte)scheme, 0, 50, 0, 6, 0, 4, 4, 3, 5, 3);

    /// <summary>Does a whole handshake, and leaves the server reading under the application's keys.</summary>
    private static MainTranscript Connect(TlsClient client, ScriptedServer server, bool retried = false)
    {
        server.Context.Transcript.KeepMessages();
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        if (retried)
        {
            server.AskForRetry(TlsNamedGroup.X25519);
            ScriptedPeer.Drive(client, server.Take(), out hello);
            server.Feed(hello);
        }
        server.AnswerHello();
        server.SendFlight();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out byte[] flight));
        server.Feed(flight);
        server.Context.Transcript.Append(server.Received[^1]);
        server.Context.ChangeReadKeys(server.Application.Client, TlsTrafficUse.ReadHandshake);
        return new MainTranscript(server.Context.Transcript.Hash!.Value, server.Context.Transcript.TakeMessages()!);
    }

    /// <summary>Asks, checks every part of the answer, and gives the certificate back; null for none.</summary>
    private static byte[]? Authenticate(TlsClient client, ScriptedServer server, MainTranscript main, byte[] context, byte[] clientSecret)
    {
        byte[] request = ScriptedPeer.Build(writer => CertificateRequestMessage.Write(writer, context, TlsSignatureSchemes.Default, [TestCertificates.Root.SubjectName.RawData]));
        using TranscriptHash transcript = main.Begin();
        transcript.Append(request);
        server.SendRecord(TlsContentType.Handshake, request);
        int before = server.Received.Count;
        TlsPair.Receive(client, server.Take(), out TlsStatus status);
        if (status == TlsStatus.NeedsSignature)
        {
            client.PendingWork!.Execute();
            TlsPair.Receive(client, [], out status);
        }
        Assert.Equal(TlsStatus.NeedMoreData, status);
        Assert.True(client.IsHandshakeComplete);
        server.Feed(Flush(client));
        List<byte[]> answer = server.Received[before..];

        byte[] digest = new byte[48];
        Assert.Null(CertificateMessage.Parse(answer[0].AsSpan(4), out CertificateMessage certificate));
        Assert.Equal(context, certificate.RequestContext.ToArray());
        transcript.Append(answer[0]);
        byte[][] chain = certificate.ToArray();
        if (chain.Length != 0)
        {
            Assert.Null(CertificateVerifyMessage.Parse(answer[1].AsSpan(4), out CertificateVerifyMessage verify));
            using var verification = new ClientCertificateVerification(
                new TlsClientAuthentication([TestCertificates.Root]), chain, verify.Scheme, CertificateVerifyMessage.ClientSignedContent(transcript.Snapshot(digest)), verify.Signature.ToArray());
            verification.Execute();
            Assert.Null(verification.Error);
            transcript.Append(answer[1]);
        }
        Assert.Equal(chain.Length != 0 ? 3 : 2, answer.Count);
        TlsHash hash = transcript.Hash!.Value;
        byte[] expected = new byte[hash.Length()];
        TrafficSecret.ComputeFinished(hash, clientSecret, transcript.Snapshot(digest), expected);
        Assert.Equal(ScriptedPeer.Build(HandshakeType.Finished, expected), answer[^1]);
        return chain.FirstOrDefault();
    }

    private static byte[] Flush(TlsClient client)
    {
        byte[] wire = new byte[70_000];
        client.Flush(wire, out int written);
        return wire[..written];
    }
}
