using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Handshake;

/// <summary>What goes out in front of an alert, and under which keys it is.</summary>
public sealed class AlertOrderTests
{
    [Fact]
    public void A_clients_first_protected_record_follows_its_change_cipher_spec_even_if_it_is_an_alert()
    {
        // RFC 8446 §D.4: the dummy change_cipher_spec goes "immediately before its second flight".
        using var client = new TlsClient(TlsPair.ClientOptions());
        using ScriptedServer server = AfterHello(client);
        server.Send(ScriptedPeer.Build(HandshakeType.EncryptedExtensions, 9));
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, server.Take(), out byte[] answer));
        Assert.Equal((byte)TlsContentType.ChangeCipherSpec, answer[0]);
        server.Feed(answer);
        Assert.Equal(1, server.ChangeCipherSpecs);
        Assert.Equal(TlsAlert.DecodeError, server.ReceivedAlert);
    }

    [Fact]
    public void A_client_that_gives_up_behind_the_ServerHello_sends_its_change_cipher_spec_once()
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        using ScriptedServer server = AfterHello(client);
        ScriptedPeer.Drive(client, server.Take(), out _);
        byte[] wire = new byte[1000];
        Assert.Equal(TlsStatus.Complete, client.Close(wire, out int written));
        server.Feed(wire[..written]);
        Assert.Equal(1, server.ChangeCipherSpecs);
        Assert.Equal(TlsAlert.CloseNotify, server.ReceivedAlert);
    }

    [Fact]
    public void An_alert_before_there_are_keys_is_alone_and_in_the_clear()
    {
        using var client = new TlsClient(TlsPair.ClientOptions());
        ScriptedPeer.Drive(client, [], out _);
        Assert.Equal(TlsStatus.Failed, ScriptedPeer.Drive(client, [22, 3, 3, 0, 0], out byte[] answer));
        Assert.Equal([21, 3, 3, 0, 2, 2, (byte)TlsAlert.UnexpectedMessage], answer);
    }

    private static ScriptedServer AfterHello(TlsClient client)
    {
        var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        return server;
    }
}
