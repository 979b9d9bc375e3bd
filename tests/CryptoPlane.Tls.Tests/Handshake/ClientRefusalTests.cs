using System.Security.Cryptography;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>Everything that a server may do wrong, and the alert that it gets for it.</summary>
public sealed class ClientRefusalTests
{
    private static readonly Dictionary<string, (TlsAlert Alert, Action<ScriptedServer> Script)> s_cases = new()
    {
        // ServerHello (RFC 8446 §4.1.3)
        ["an older version"] = (TlsAlert.ProtocolVersion, s => s.AnswerHello(h => h.Remove(ExtensionType.SupportedVersions))),
        ["an older version, with the downgrade sentinel of TLS 1.2"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Remove(ExtensionType.SupportedVersions).With(x => Sentinel(x, 1)))),
        ["an older version, with the downgrade sentinel of TLS 1.1"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Remove(ExtensionType.SupportedVersions).With(x => Sentinel(x, 0)))),
        ["a version that was not offered"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Set(ExtensionType.SupportedVersions, 3, 5))),
        ["TLS 1.2 in supported_versions"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Set(ExtensionType.SupportedVersions, 3, 3))),
        ["supported_versions cut short"] = (TlsAlert.DecodeError, s => s.AnswerHello(h => h.Set(ExtensionType.SupportedVersions, 3))),
        ["another session ID"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.SessionId = new byte[32]))),
        ["no session ID"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.SessionId = []))),
        ["compression"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.Compression = [1]))),
        ["a suite that was not offered"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.Suites = [0x1304]))),
        ["no key share"] = (TlsAlert.MissingExtension, s => s.AnswerHello(h => h.Remove(ExtensionType.KeyShare))),
        ["a key share cut short"] = (TlsAlert.DecodeError, s => s.AnswerHello(h => h.Set(ExtensionType.KeyShare, 0, 0x1D, 0, 32, 1))),
        ["a key share of another group"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.Get(ExtensionType.KeyShare)[1] = 0x17))),
        ["a key share of a wrong length"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Set(ExtensionType.KeyShare, 0, 0x1D, 0, 1, 9))),
        ["an all-zero key share"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Set(ExtensionType.KeyShare, [0, 0x1D, 0, 32, .. new byte[32]]))),
        ["an extension that was not offered in the ServerHello"] = (TlsAlert.UnsupportedExtension, s => s.AnswerHello(h => h.Set((ExtensionType)0x7777))),
        ["a PSK that was not offered"] = (TlsAlert.UnsupportedExtension, s => s.AnswerHello(h => h.Set(ExtensionType.PreSharedKey, 0, 0))),
        ["server_name in the ServerHello"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.Set(ExtensionType.ServerName))),
        ["an extension twice"] = (TlsAlert.IllegalParameter, s => s.AnswerHello(h => h.With(x => x.Extensions.Add(x.Extensions[0])))),
        ["a ServerHello with bytes behind it"] = (TlsAlert.DecodeError, s => s.Send(ScriptedPeer.Build(HandshakeType.ServerHello, [.. new byte[80]]))),
        ["a ServerHello joined with the next message"] = (TlsAlert.UnexpectedMessage, s => s.SendTogether(PlainServerHello(s), ScriptedServer.EncryptedExtensions())),
        ["EncryptedExtensions first"] = (TlsAlert.UnexpectedMessage, s => s.Send(ScriptedServer.EncryptedExtensions())),
        ["a ClientHello"] = (TlsAlert.UnexpectedMessage, s => s.Send(s.Received[0])),
        ["application data in the clear"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw([23, 3, 3, 0, 20, .. new byte[20]])),
        ["an empty handshake record"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw(22, 3, 3, 0, 0)),
        ["a record that is too long"] = (TlsAlert.RecordOverflow, s => s.SendRaw(22, 3, 3, 0x40, 1)),
        ["no TLS"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw("HTTP/1.1 400 Bad Request\r\n\r\n"u8)),
        ["a message that is too long"] = (TlsAlert.IllegalParameter, s => s.SendRaw(22, 3, 3, 0, 4, (byte)HandshakeType.ServerHello, 0, 0x40, 1)),
        ["another change_cipher_spec"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw(20, 3, 3, 0, 1, 2)),
        ["a long change_cipher_spec"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw(20, 3, 3, 0, 2, 1, 1)),
        ["a change_cipher_spec in the middle of a message"] = (TlsAlert.UnexpectedMessage, s => s.SendRaw(22, 3, 3, 0, 1, 2, 20, 3, 3, 0, 1, 1)),
        ["too many change_cipher_specs"] = (TlsAlert.UnexpectedMessage, s => Repeat(33, () => s.SendRaw(20, 3, 3, 0, 1, 1))),
        ["too many user_canceled"] = (TlsAlert.UnexpectedMessage, s => Repeat(33, () => s.SendRaw(21, 3, 3, 0, 2, 1, 90))),
        ["an alert of three bytes"] = (TlsAlert.DecodeError, s => s.SendRaw(21, 3, 3, 0, 3, 2, 40, 0)),

        // HelloRetryRequest (RFC 8446 §4.1.4)
        ["a retry that changes nothing"] = (TlsAlert.IllegalParameter, s => s.AskForRetry(TlsNamedGroup.X25519, h => h.Remove(ExtensionType.KeyShare))),
        ["a retry for the group that was sent"] = (TlsAlert.IllegalParameter, s => s.AskForRetry(TlsNamedGroup.X25519)),
        ["a retry for a group that was not offered"] = (TlsAlert.IllegalParameter, s => s.AskForRetry((TlsNamedGroup)0x0019)),
        ["a retry with an extension that has no place there"] = (TlsAlert.IllegalParameter, s => s.AskForRetry(TlsNamedGroup.Secp256r1, h => h.Set(ExtensionType.SupportedGroups, 0, 2, 0, 23))),
        ["a retry with an empty cookie"] = (TlsAlert.DecodeError, s => s.AskForRetry(TlsNamedGroup.Secp256r1, h => h.Set(ExtensionType.Cookie, 0, 0))),
        ["a retry with a key share"] = (TlsAlert.DecodeError, s => s.AskForRetry(TlsNamedGroup.Secp256r1, h => h.Set(ExtensionType.KeyShare, 0, 23, 0, 1, 1))),
        ["a cookie in the ServerHello"] = (TlsAlert.UnsupportedExtension, s => s.AnswerHello(h => h.Set(ExtensionType.Cookie, 0, 1, 1))),

        // EncryptedExtensions (RFC 8446 §4.3.1)
        ["an extension that was not offered"] = (TlsAlert.UnsupportedExtension, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.StatusRequest, [])))),
        ["ALPN that was not offered"] = (TlsAlert.UnsupportedExtension, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.ApplicationProtocols, [0, 3, 2, 104, 50])))),
        ["early data that was not offered"] = (TlsAlert.UnsupportedExtension, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.EarlyData, [])))),
        ["a key share in the EncryptedExtensions"] = (TlsAlert.IllegalParameter, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.KeyShare, [0, 29])))),
        ["server_name with data"] = (TlsAlert.DecodeError, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.ServerName, [0])))),
        ["supported_groups cut short"] = (TlsAlert.DecodeError, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.SupportedGroups, [0, 2, 0])))),
        ["a record_size_limit of 63"] = (TlsAlert.IllegalParameter, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.RecordSizeLimit, [0, 63])))),
        ["a record_size_limit beyond the protocol's"] = (TlsAlert.IllegalParameter, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.RecordSizeLimit, [0x40, 2])))),
        ["a record_size_limit of three bytes"] = (TlsAlert.DecodeError, s => AfterHello(s, ScriptedServer.EncryptedExtensions((ExtensionType.RecordSizeLimit, [0x40, 1, 0])))),
        ["a record beyond the record_size_limit in the handshake"] = (TlsAlert.RecordOverflow, s => AfterHello(s, () => { s.Send(ScriptedServer.EncryptedExtensions((ExtensionType.RecordSizeLimit, [0x40, 1]))); s.SendRaw(23, 3, 3, 0x40, 0x12); s.SendRaw(new byte[0x4012]); })),
        ["malformed EncryptedExtensions"] = (TlsAlert.DecodeError, s => AfterHello(s, ScriptedPeer.Build(HandshakeType.EncryptedExtensions, 0, 5))),
        ["a Certificate in place of the EncryptedExtensions"] = (TlsAlert.UnexpectedMessage, s => AfterHello(s, s.Certificate())),
        ["application data in the handshake"] = (TlsAlert.UnexpectedMessage, s => AfterHello(s, () => s.SendRecord(TlsContentType.ApplicationData, "early"u8))),
        ["a forged record"] = (TlsAlert.BadRecordMac, s => AfterHello(s, () => s.SendRaw([23, 3, 3, 0, 40, .. new byte[40]]))),
        ["an encrypted record that is too long"] = (TlsAlert.RecordOverflow, s => AfterHello(s, () => s.SendRaw(23, 3, 3, 0x41, 1))),
        ["handshake in the clear behind the ServerHello"] = (TlsAlert.UnexpectedMessage, s => AfterHello(s, () => s.SendRaw(22, 3, 3, 0, 1, 8))),

        // Certificate and CertificateVerify (RFC 8446 §4.4.2, §4.4.3)
        ["no certificate"] = (TlsAlert.DecodeError, s => AfterExtensions(s, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 0))),
        ["a certificate with a context"] = (TlsAlert.IllegalParameter, s => AfterExtensions(s, WithContext(s.Certificate()))),
        ["a certificate that is no DER"] = (TlsAlert.BadCertificate, s => { AfterExtensions(s, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 8, 0, 0, 3, 1, 2, 3, 0, 0)); s.Send(s.CertificateVerify()); }),
        ["an empty certificate entry"] = (TlsAlert.DecodeError, s => AfterExtensions(s, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 5, 0, 0, 0, 0, 0))),
        ["an extension in a certificate entry"] = (TlsAlert.UnsupportedExtension, s => AfterExtensions(s, ScriptedPeer.Build(HandshakeType.Certificate, 0, 0, 0, 10, 0, 0, 1, 0x30, 0, 4, 0, 5, 0, 0))),
        ["seventeen certificates"] = (TlsAlert.BadCertificate, s => AfterExtensions(s, ScriptedPeer.Build(HandshakeType.Certificate, [0, 0, 0, 102, .. Enumerable.Repeat(new byte[] { 0, 0, 1, 0x30, 0, 0 }, 17).SelectMany(entry => entry)]))),
        ["a certificate message that is too long"] = (TlsAlert.IllegalParameter, s => AfterHello(s, () => s.SendRecord(TlsContentType.Handshake, [11, 1, 0, 1]))),
        ["CertificateVerify before the Certificate"] = (TlsAlert.UnexpectedMessage, s => { AfterHello(s, ScriptedServer.EncryptedExtensions()); s.Send(s.CertificateVerify()); }),
        ["Finished in place of the CertificateVerify"] = (TlsAlert.UnexpectedMessage, s => { AfterExtensions(s, s.Certificate()); s.Send(s.Finished()); }),
        ["two CertificateRequests"] = (TlsAlert.UnexpectedMessage, s => { AfterExtensions(s, CertificateRequest()); s.Send(CertificateRequest()); }),
        ["a CertificateRequest with a context"] = (TlsAlert.IllegalParameter, s => AfterExtensions(s, WithContext(CertificateRequest()))),
        ["a CertificateRequest without signature_algorithms"] = (TlsAlert.MissingExtension, s => AfterExtensions(s, ScriptedPeer.Build(HandshakeType.CertificateRequest, 0, 0, 0))),
        ["a CertificateRequest with key_share"] = (TlsAlert.IllegalParameter, s => AfterExtensions(s, CertificateRequest([0, 51, 0, 0]))),
        ["a CertificateRequest with malformed signature_algorithms_cert"] = (TlsAlert.DecodeError, s => AfterExtensions(s, CertificateRequest([0, 50, 0, 3, 0, 1, 4]))),
        ["a CertificateRequest with an authority without a name"] = (TlsAlert.DecodeError, s => AfterExtensions(s, CertificateRequest([0, 47, 0, 4, 0, 2, 0, 0]))),
        ["a CertificateRequest with malformed authorities"] = (TlsAlert.DecodeError, s => AfterExtensions(s, CertificateRequest([0, 47, 0, 4, 0, 2, 0, 1]))),
        ["a CertificateRequest with half a filter"] = (TlsAlert.DecodeError, s => AfterExtensions(s, CertificateRequest([0, 48, 0, 8, 0, 6, 5, 6, 3, 0x55, 0x1D, 15]))),
        ["a CertificateRequest with an OID twice in its filters"] = (TlsAlert.IllegalParameter, s => AfterExtensions(s, CertificateRequest([0, 48, 0, 14, 0, 12, 3, 6, 1, 42, 0, 0, 3, 6, 1, 42, 0, 0]))),
        ["oid_filters in EncryptedExtensions"] = (TlsAlert.UnsupportedExtension, s => AfterHello(s, ScriptedPeer.Build(HandshakeType.EncryptedExtensions, 0, 6, 0, 48, 0, 2, 0, 0))),
        ["a CertificateRequest behind the Certificate"] = (TlsAlert.UnexpectedMessage, s => { AfterExtensions(s, s.Certificate()); s.Send(CertificateRequest()); }),
        ["a wrong signature"] = (TlsAlert.DecryptError, s => { AfterExtensions(s, s.Certificate()); s.Send(Flip(s.CertificateVerify(), 50)); }),
        ["a signature over something else"] = (TlsAlert.DecryptError, s => { byte[] early = null!; AfterHello(s, () => early = s.CertificateVerify()); s.Send(ScriptedServer.EncryptedExtensions()); s.Send(s.Certificate()); s.Send(early); }),
        ["a scheme for another kind of key"] = (TlsAlert.IllegalParameter, s => { AfterExtensions(s, s.Certificate()); s.Send(s.CertificateVerify(claimed: TlsSignatureScheme.RsaPssRsaeSha256)); }),
        ["a scheme that was not offered"] = (TlsAlert.IllegalParameter, s => { AfterExtensions(s, s.Certificate()); s.Send(s.CertificateVerify(claimed: (TlsSignatureScheme)0x0401)); }),
        ["a CertificateVerify cut short"] = (TlsAlert.DecodeError, s => { AfterExtensions(s, s.Certificate()); s.Send(ScriptedPeer.Build(HandshakeType.CertificateVerify, 4, 3, 0, 9)); }),

        // Finished (RFC 8446 §4.4.4)
        ["a wrong Finished"] = (TlsAlert.DecryptError, s => { AfterVerify(s); s.Send(Flip(s.Finished(), 10)); }),
        ["a short Finished"] = (TlsAlert.DecodeError, s => { AfterVerify(s); s.Send(ScriptedPeer.Build(HandshakeType.Finished, 1, 2, 3)); }),
        ["data behind the Finished in its record"] = (TlsAlert.UnexpectedMessage, s => { AfterVerify(s); s.SendTogether(s.Finished(), [4]); }),
        ["a KeyUpdate before the Finished"] = (TlsAlert.UnexpectedMessage, s => { AfterVerify(s); s.Send(ScriptedPeer.Build(HandshakeType.KeyUpdate, 0)); }),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_server_gets_the_right_alert(string name)
    {
        (TlsAlert alert, Action<ScriptedServer> script) = s_cases[name];
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        Assert.Equal(TlsStatus.NeedMoreData, ScriptedPeer.Drive(client, [], out byte[] hello));
        server.Feed(hello);
        script(server);

        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out byte[] answer));
        Assert.Equal(alert, client.Error!.Alert);
        Assert.False(client.IsHandshakeComplete);
        Assert.Null(client.PendingWork);
        server.Feed(answer);
        Assert.Equal(alert, server.ReceivedAlert);
        // A failed connection stays failed, quietly.
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, [], out byte[] more));
        Assert.Empty(more);
    }

    private static byte[] PlainServerHello(ScriptedServer server)
    {
        HelloBytes client = HelloBytes.Parse(server.Received[0]);
        return ScriptedPeer.Build(writer => ServerHello.Write(writer, RandomNumberGenerator.GetBytes(32), client.SessionId, client.Suites[0], TlsNamedGroup.X25519, RandomNumberGenerator.GetBytes(32)));
    }

    private static byte[] CertificateRequest(params byte[] more) =>
        ScriptedPeer.Build(HandshakeType.CertificateRequest, [0, 0, (byte)(8 + more.Length), 0, 13, 0, 4, 0, 2, 4, 3, .. more]);

    private static byte[] WithContext(byte[] message) => ScriptedPeer.Build((HandshakeType)message[0], [1, 7, .. message.AsSpan(5)]);

    private static byte[] Flip(byte[] message, int index)
    {
        message[index] ^= 1;
        return message;
    }

    private static void Sentinel(HelloBytes hello, byte last)
    {
        "DOWNGRD"u8.CopyTo(hello.Random.AsSpan(24));
        hello.Random[31] = last;
    }

    private static void Repeat(int count, Action action)
    {
        for (int i = 0; i < count; i++)
            action();
    }

    private static void AfterHello(ScriptedServer server, Action action)
    {
        server.AnswerHello();
        action();
    }

    private static void AfterHello(ScriptedServer server, byte[] message) => AfterHello(server, () => server.Send(message));

    private static void AfterExtensions(ScriptedServer server, byte[] message)
    {
        AfterHello(server, ScriptedServer.EncryptedExtensions());
        server.Send(message);
    }

    private static void AfterVerify(ScriptedServer server)
    {
        AfterExtensions(server, server.Certificate());
        server.Send(server.CertificateVerify());
    }
}
