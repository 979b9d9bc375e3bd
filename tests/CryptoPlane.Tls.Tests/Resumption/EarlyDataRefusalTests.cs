using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Resumption;

/// <summary>Everything that a peer may do wrong about early data, and the alert that it gets for it.</summary>
public sealed class EarlyDataRefusalTests
{
    private static readonly byte[] s_endOfEarlyData = ScriptedPeer.Build(HandshakeType.EndOfEarlyData);

    private static readonly Dictionary<string, (TlsAlert Alert, Action<ScriptedClient> Script)> s_scripts = new()
    {
        ["more than the ticket allows, at once"] = (TlsAlert.UnexpectedMessage, c => c.SendRecord(TlsContentType.ApplicationData, new byte[101])),
        ["more than the ticket allows, in parts"] = (TlsAlert.UnexpectedMessage, c => { c.SendRecord(TlsContentType.ApplicationData, new byte[60]); c.SendRecord(TlsContentType.ApplicationData, new byte[41]); }),
        ["an EndOfEarlyData with a body"] = (TlsAlert.DecodeError, c => c.Send(ScriptedPeer.Build(HandshakeType.EndOfEarlyData, 0))),
        ["an EndOfEarlyData joined with more"] = (TlsAlert.UnexpectedMessage, c => c.SendTogether(s_endOfEarlyData, [20, 0])),
        ["a Finished in place of the EndOfEarlyData"] = (TlsAlert.UnexpectedMessage, c => c.Send(ScriptedPeer.Build(HandshakeType.Finished, new byte[32]))),
        ["a KeyUpdate under the early key"] = (TlsAlert.UnexpectedMessage, c => c.Send(ScriptedPeer.Build(HandshakeType.KeyUpdate, 0))),
        ["data in the middle of the EndOfEarlyData"] = (TlsAlert.UnexpectedMessage, c => { c.SendRecord(TlsContentType.Handshake, [5, 0]); c.SendRecord(TlsContentType.ApplicationData, [1]); }),
        ["data behind the EndOfEarlyData under the early key"] = (TlsAlert.BadRecordMac, c => { c.Send(s_endOfEarlyData); c.SendRecord(TlsContentType.ApplicationData, [1]); }),
        ["a forged record"] = (TlsAlert.BadRecordMac, c => c.SendRaw([23, 3, 3, 0, 40, .. new byte[40]])),
        ["an empty handshake record"] = (TlsAlert.UnexpectedMessage, c => c.SendRaw(22, 3, 3, 0, 0)),
        ["handshake in the clear"] = (TlsAlert.UnexpectedMessage, c => c.SendRaw(22, 3, 3, 0, 4, 5, 0, 0, 0)),
        ["too many empty records"] = (TlsAlert.UnexpectedMessage, c => SendEmpty(c, 33)),
    };

    private readonly EarlyDataTestBed _bed = new();

    public static TheoryData<string> Scripts => [.. s_scripts.Keys];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void A_client_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<ScriptedClient> script) = s_scripts[name];
        TlsServerOptions options = _bed.Server(maxSize: 100);
        using TlsSession session = _bed.Take(options);
        using var server = new TlsServer(options);
        using var client = new ScriptedClient(_bed.Client(session));
        byte[] hello = client.Hello().ToMessage();
        client.Send(hello);
        TakeEarlyKeys(client, session, hello);
        script(client);

        byte[] data = new byte[200];
        int read = 0;
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out _, () => read += server.ReadEarlyData(data)));
        Assert.Equal(alert, server.Error!.Alert);
        Assert.InRange(read, 0, 100);
    }

    [Fact]
    public void A_client_may_close_or_send_an_alert_early()
    {
        TlsServerOptions options = _bed.Server();
        foreach (bool closes in new[] { true, false })
        {
            using TlsSession session = _bed.Take(options);
            using var server = new TlsServer(options);
            using var client = new ScriptedClient(_bed.Client(session));
            byte[] hello = client.Hello().ToMessage();
            client.Send(hello);
            TakeEarlyKeys(client, session, hello);
            client.SendRecord(TlsContentType.Alert, closes ? [1, 0] : [2, 80]);
            Assert.Equal(closes ? TlsStatus.Closed : TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out _));
            Assert.Equal(closes ? null : TlsErrorKind.PeerAlerted, server.Error?.Kind);
        }
    }

    [Theory]
    [InlineData("data in the extension", TlsAlert.DecodeError)]
    [InlineData("no pre-shared key", TlsAlert.IllegalParameter)]
    [InlineData("another suite", TlsAlert.IllegalParameter)]
    [InlineData("an application protocol", TlsAlert.IllegalParameter)]
    public void A_server_that_accepts_it_wrongly_gets_the_right_alert(string what, TlsAlert alert)
    {
        using TlsSession session = _bed.Take(_bed.Server());
        using var client = new TlsClient(_bed.Client(session, protocols: System.Net.Security.SslApplicationProtocol.Http2));
        TlsCipherSuite suite = what == "another suite" ? TlsCipherSuite.ChaCha20Poly1305Sha256 : TlsCipherSuite.Aes128GcmSha256;
        using var server = new ScriptedServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { CipherSuites = [suite] });
        ScriptedPeer.Drive(client, [], out byte[] hello);
        Assert.True(client.CanWriteEarlyData);
        server.Feed(hello);
        if (what == "no pre-shared key")
        {
            server.AnswerHello();
        }
        else
        {
            server.Context.Resume(session.PreSharedKey, 0);
            server.AnswerHello(answer => answer.Set(ExtensionType.PreSharedKey, 0, 0));
        }
        List<(ExtensionType, byte[])> extensions = [(ExtensionType.EarlyData, what == "data in the extension" ? [0] : [])];
        if (what == "an application protocol")
            extensions.Add((ExtensionType.ApplicationProtocols, [0, 3, 2, .. "h2"u8]));
        server.Send(ScriptedServer.EncryptedExtensions([.. extensions]));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(alert, client.Error!.Alert);
        Assert.False(client.CanWriteEarlyData);
    }

    [Fact]
    public void Early_data_behind_a_HelloRetryRequest_was_not_offered()
    {
        using TlsSession session = _bed.Take(_bed.Server());
        using var client = new TlsClient(_bed.Client(session, retry: true));
        using var server = new ScriptedServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)));
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AskForRetry(TlsNamedGroup.X25519);
        ScriptedPeer.Drive(client, server.Take(), out byte[] second);
        Assert.Equal(TlsEarlyDataStatus.Rejected, client.EarlyDataStatus);
        server.Feed(second);
        Assert.DoesNotContain(HelloBytes.Parse(server.Received[^1]).Extensions, extension => extension.Type == ExtensionType.EarlyData);
        Assert.Contains(HelloBytes.Parse(server.Received[^1]).Extensions, extension => extension.Type == ExtensionType.PreSharedKey);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions((ExtensionType.EarlyData, [])));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(TlsAlert.UnsupportedExtension, client.Error!.Alert);
    }

    [Fact]
    public void Rejected_early_data_is_passed_over_up_to_a_bound()
    {
        foreach ((int records, bool fits) in new[] { (6, true), (9, false) })
        {
            using TlsSession session = _bed.Take(_bed.Server(maxSize: 1_000_000));
            using var server = new TlsServer(_bed.Server(maxSize: 50_000, guard: new TlsReplayGuard(clock: _bed.Clock)));
            using var client = new ScriptedClient(_bed.Client(session));
            byte[] hello = client.Hello().ToMessage();
            client.Send(hello);
            TakeEarlyKeys(client, session, hello);
            for (int i = 0; i < records; i++)
                client.SendRecord(TlsContentType.ApplicationData, new byte[16_384]);
            TlsStatus status = ScriptedPeer.Drive(server, client.Take(), out _);
            Assert.Equal(TlsEarlyDataStatus.Rejected, server.EarlyDataStatus);
            Assert.Equal(fits ? TlsStatus.NeedMoreData : TlsStatus.Failed, status);
            Assert.Equal(fits ? null : TlsAlert.BadRecordMac, server.Error?.Alert);
        }
    }

    private static void TakeEarlyKeys(ScriptedClient client, TlsSession session, byte[] hello)
    {
        using EarlySecret early = EarlySecret.Of(TlsHash.Sha256, session.PreSharedKey);
        using TrafficSecret traffic = early.DeriveClientTraffic(SHA256.HashData(hello));
        client.Records.ChangeWriteKeys(TlsCipherSuite.Aes128GcmSha256, traffic.Value);
    }

    /// <summary>Records of nothing, which a sender of whole flights never makes.</summary>
    private static void SendEmpty(ScriptedClient client, int count)
    {
        byte[] record = new byte[TlsRecordSizes.Overhead];
        for (int i = 0; i < count; i++)
        {
            Assert.Equal(TlsRecordStatus.Added, client.Records.TrySeal(TlsContentType.ApplicationData, [], record, out int length));
            client.SendRaw(record.AsSpan(0, length));
        }
    }
}
