using System.Net.Security;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Everything that a client may do wrong, and the alert that it gets for it.</summary>
public sealed class ServerRefusalTests
{
    private static readonly Dictionary<string, (TlsAlert Alert, Action<HelloBytes> Change)> s_hellos = new()
    {
        ["no supported_versions"] = (TlsAlert.ProtocolVersion, h => h.Remove(ExtensionType.SupportedVersions)),
        ["no TLS 1.3 in supported_versions"] = (TlsAlert.ProtocolVersion, h => h.Set(ExtensionType.SupportedVersions, 4, 3, 3, 3, 2)),
        ["SSL 3.0"] = (TlsAlert.ProtocolVersion, h => h.Version = 0x0300),
        ["supported_versions of odd length"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.SupportedVersions, 3, 3, 4, 3)),
        ["no extensions at all"] = (TlsAlert.ProtocolVersion, h => h.Extensions.Clear()),
        ["compression"] = (TlsAlert.IllegalParameter, h => h.Compression = [0, 1]),
        ["compression without the null method"] = (TlsAlert.IllegalParameter, h => h.Compression = [1]),
        ["no compression method"] = (TlsAlert.DecodeError, h => h.Compression = []),
        ["a session ID of 33 bytes"] = (TlsAlert.DecodeError, h => h.SessionId = new byte[33]),
        ["no suites"] = (TlsAlert.DecodeError, h => h.Suites = []),
        ["unknown suites"] = (TlsAlert.HandshakeFailure, h => h.Suites = [0x1304, 0xC02B, 0x0A0A]),
        ["no supported_groups"] = (TlsAlert.MissingExtension, h => h.Remove(ExtensionType.SupportedGroups)),
        ["no key_share"] = (TlsAlert.MissingExtension, h => h.Remove(ExtensionType.KeyShare)),
        ["no signature_algorithms"] = (TlsAlert.MissingExtension, h => h.Remove(ExtensionType.SignatureAlgorithms)),
        ["unknown signature schemes"] = (TlsAlert.HandshakeFailure, h => h.Set(ExtensionType.SignatureAlgorithms, 0, 4, 2, 3, 0xA, 0xA)),
        ["schemes for other certificates"] = (TlsAlert.HandshakeFailure, h => h.Set(ExtensionType.SignatureAlgorithms, 0, 2, 8, 4)),
        ["malformed signature_algorithms_cert"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.SignatureAlgorithmsCert, 0, 3, 4, 3, 4)),
        ["empty signature_algorithms"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.SignatureAlgorithms, 0, 0)),
        ["unknown groups"] = (TlsAlert.HandshakeFailure, h => h.Set(ExtensionType.SupportedGroups, 0, 4, 0, 25, 0xA, 0xA).Set(ExtensionType.KeyShare, 0, 0)),
        ["groups of odd length"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.SupportedGroups, 0, 3, 0, 29, 0)),
        ["a share of a group that is not in supported_groups"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.SupportedGroups, 0, 2, 0, 23)),
        ["a share twice"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, [0, 10, 0, 29, 0, 1, 1, 0, 29, 0, 1, 1])),
        ["an empty share"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.KeyShare, 0, 4, 0, 29, 0, 0)),
        ["a share of a wrong length"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, 0, 5, 0, 29, 0, 1, 1)),
        ["an all-zero share"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, [0, 36, 0, 29, 0, 32, .. new byte[32]])),
        ["a point off the curve"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, [0, 69, 0, 23, 0, 65, 4, .. new byte[64]])),
        ["a compressed point"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, [0, 37, 0, 23, 0, 33, 2, .. new byte[32]])),
        ["an extension twice"] = (TlsAlert.IllegalParameter, h => h.Extensions.Add(h.Extensions[0])),
        ["a GREASE extension twice"] = (TlsAlert.IllegalParameter, h => { h.Extensions.Add(((ExtensionType)0x1A1A, [])); h.Extensions.Add(((ExtensionType)0x1A1A, [])); }),
        ["too many extensions"] = (TlsAlert.IllegalParameter, h => { for (int i = 0; i < 300; i++) h.Extensions.Add(((ExtensionType)(0x7000 + i), [])); }),
        ["pre_shared_key before another extension"] = (TlsAlert.IllegalParameter, h => h.Extensions.Insert(0, (ExtensionType.PreSharedKey, [0, 0]))),
        ["pre_shared_key without psk_key_exchange_modes"] = (TlsAlert.MissingExtension, h => h.Set(ExtensionType.PreSharedKey, 0, 0)),
        ["empty psk_key_exchange_modes"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.PskKeyExchangeModes, 0)),
        ["a server_name of no known type"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.ServerName, 0, 4, 1, 0, 1, 97)),
        ["two server names"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.ServerName, 0, 8, 0, 0, 1, 97, 0, 0, 1, 98)),
        ["an empty server name"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.ServerName, 0, 3, 0, 0, 0)),
        ["a server name with a zero in it"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.ServerName, 0, 6, 0, 0, 3, 97, 0, 98)),
        ["a record_size_limit of 63"] = (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.RecordSizeLimit, 0, 63)),
        ["a record_size_limit of one byte"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.RecordSizeLimit, 64)),
        ["a list of compressions with half of one"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.CompressCertificate, 1, 0)),
        ["an empty list of compressions"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.CompressCertificate, 0)),
        ["an empty status_request"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.StatusRequest)),
        ["an OCSP status_request cut short"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.StatusRequest, 1, 0, 0)),
        ["an unknown server name"] = (TlsAlert.UnrecognizedName, h => h.Set(ExtensionType.ServerName, 0, 4, 0, 0, 1, 97)),
        ["an unknown application protocol"] = (TlsAlert.NoApplicationProtocol, h => h.Set(ExtensionType.ApplicationProtocols, 0, 3, 2, 104, 50)),
        ["an empty application protocol"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.ApplicationProtocols, 0, 1, 0)),
        ["no application protocols in the list"] = (TlsAlert.DecodeError, h => h.Set(ExtensionType.ApplicationProtocols, 0, 0)),
    };

    private static readonly Dictionary<string, (TlsAlert Alert, Action<ScriptedClient> Script)> s_flights = new()
    {
        ["a wrong Finished"] = (TlsAlert.DecryptError, c => { byte[] finished = c.Finished(); finished[20] ^= 1; c.Send(finished); }),
        ["a short Finished"] = (TlsAlert.DecodeError, c => c.Send(ScriptedPeer.Build(HandshakeType.Finished, 1))),
        ["a Certificate that was not asked for"] = (TlsAlert.UnexpectedMessage, c => c.Send(ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 0))),
        ["a KeyUpdate before the Finished"] = (TlsAlert.UnexpectedMessage, c => c.Send(ScriptedPeer.Build(HandshakeType.KeyUpdate, 0))),
        ["EndOfEarlyData without early data"] = (TlsAlert.UnexpectedMessage, c => c.Send(ScriptedPeer.Build(HandshakeType.EndOfEarlyData))),
        ["a second ClientHello"] = (TlsAlert.UnexpectedMessage, c => c.Send(c.Hello().ToMessage())),
        ["data behind the Finished in its record"] = (TlsAlert.UnexpectedMessage, c => c.SendTogether(c.Finished(), ScriptedPeer.Build(HandshakeType.KeyUpdate, 0))),
        ["application data before the Finished"] = (TlsAlert.UnexpectedMessage, c => c.SendRecord(TlsContentType.ApplicationData, "early"u8)),
        ["a forged record"] = (TlsAlert.BadRecordMac, c => c.SendRaw([23, 3, 3, 0, 40, .. new byte[40]])),
        ["a record shorter than a tag"] = (TlsAlert.BadRecordMac, c => c.SendRaw([23, 3, 3, 0, 16, .. new byte[16]])),
        ["handshake in the clear"] = (TlsAlert.UnexpectedMessage, c => c.SendRaw(22, 3, 3, 0, 1, 20)),
        ["a protected change_cipher_spec"] = (TlsAlert.UnexpectedMessage, c => c.SendRecord(TlsContentType.ChangeCipherSpec, [1])),
        ["a malformed alert"] = (TlsAlert.DecodeError, c => c.SendRecord(TlsContentType.Alert, [2])),
    };

    public static TheoryData<string> Hellos => [.. s_hellos.Keys];

    public static TheoryData<string> Flights => [.. s_flights.Keys];

    [Theory]
    [MemberData(nameof(Hellos))]
    public void A_wrong_ClientHello_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<HelloBytes> change) = s_hellos[name];
        using var client = new ScriptedClient();
        using var server = new TlsServer(Options());
        client.Send(client.Hello().With(change).ToMessage());
        ExpectAlert(server, client, alert, hasKeys: false);
    }

    [Theory]
    [MemberData(nameof(Flights))]
    public void A_wrong_second_flight_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<ScriptedClient> script) = s_flights[name];
        using var client = new ScriptedClient();
        using var server = new TlsServer(Options());
        client.Send(client.Hello().ToMessage());
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out byte[] flight));
        client.TakeFlight(flight);
        script(client);
        ExpectAlert(server, client, alert, hasKeys: true);
    }

    [Fact]
    public void A_second_ClientHello_must_have_the_share_that_was_asked_for()
    {
        foreach ((TlsAlert alert, Action<HelloBytes> change) in new (TlsAlert, Action<HelloBytes>)[]
        {
            (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, 0, 0)),
            (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.KeyShare, [0, 10, 0, 23, 0, 1, 1, 0, 24, 0, 1, 1])),
            (TlsAlert.IllegalParameter, h => h.Suites = [(ushort)TlsCipherSuite.Aes256GcmSha384]),
            (TlsAlert.IllegalParameter, h => h.Set(ExtensionType.EarlyData)),
        })
        {
            using var client = new ScriptedClient();
            using var server = new TlsServer(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { Groups = [TlsNamedGroup.Secp256r1] });
            client.Send(client.Hello().ToMessage());
            Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(server, client.Take(), out byte[] retry));
            Assert.True(server.WasRetried);
            client.Feed(retry);
            Assert.Equal(1, client.ChangeCipherSpecs);
            client.Send(client.Hello(TlsNamedGroup.Secp256r1).With(change).ToMessage());
            ExpectAlert(server, client, alert, hasKeys: false);
        }
    }

    [Theory]
    [InlineData(new byte[] { 20, 3, 3, 0, 1, 1 }, TlsAlert.UnexpectedMessage)]
    [InlineData(new byte[] { 23, 3, 3, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, TlsAlert.UnexpectedMessage)]
    [InlineData(new byte[] { 22, 3, 1, 0x40, 1 }, TlsAlert.RecordOverflow)]
    [InlineData(new byte[] { 22, 3, 1, 0, 0 }, TlsAlert.UnexpectedMessage)]
    [InlineData(new byte[] { (byte)'G', (byte)'E', (byte)'T', (byte)' ', (byte)'/' }, TlsAlert.UnexpectedMessage)]
    [InlineData(new byte[] { 22, 3, 1, 0, 4, 1, 0, 0x40, 1 }, TlsAlert.IllegalParameter)]
    [InlineData(new byte[] { 22, 3, 1, 0, 5, 1, 0, 0, 1, 0 }, TlsAlert.DecodeError)]
    [InlineData(new byte[] { 22, 3, 1, 0, 4, 20, 0, 0, 0 }, TlsAlert.UnexpectedMessage)]
    public void What_is_no_ClientHello_gets_the_right_alert(byte[] wire, TlsAlert alert)
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(Options());
        client.SendRaw(wire);
        ExpectAlert(server, client, alert, hasKeys: false);
    }

    [Fact]
    public void A_ClientHello_joined_with_more_is_refused()
    {
        using var client = new ScriptedClient();
        using var server = new TlsServer(Options());
        client.SendTogether(client.Hello().ToMessage(), [1, 0]);
        ExpectAlert(server, client, TlsAlert.UnexpectedMessage, hasKeys: false);
    }

    private static TlsServerOptions Options()
    {
        var certificate = new TlsCredential(TestCertificates.EcdsaP256);
        return new TlsServerOptions(name => name is null or TestCertificates.ServerName ? certificate : null) { ApplicationProtocols = [SslApplicationProtocol.Http11] };
    }

    private static void ExpectAlert(TlsServer server, ScriptedClient client, TlsAlert alert, bool hasKeys)
    {
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, client.Take(), out byte[] answer));
        Assert.Equal(alert, server.Error!.Alert);
        Assert.False(server.IsHandshakeComplete);
        Assert.Equal(hasKeys ? (byte)TlsContentType.ApplicationData : (byte)TlsContentType.Alert, answer[0]);
        client.Feed(answer);
        Assert.Equal(alert, client.ReceivedAlert);
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(server, [], out byte[] more));
        Assert.Empty(more);
    }
}
