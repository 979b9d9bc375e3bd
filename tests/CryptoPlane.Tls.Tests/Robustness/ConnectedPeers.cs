using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Robustness;

/// <summary>A real connection behind its handshake, with a peer that says what a test tells it to.</summary>
internal static class ConnectedPeers
{
    /// <summary>A client behind its handshake with the scripted server.</summary>
    public static TlsClient Client(out ScriptedServer server, bool keepSessions = false)
    {
        var client = new TlsClient(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], KeepSessions = keepSessions });
        server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.SendFlight();
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out _));
        return client;
    }

    /// <summary>A server behind its handshake with the scripted client.</summary>
    public static TlsServer Server(out ScriptedClient client)
    {
        var server = new TlsServer(TlsPair.ServerOptions());
        client = new ScriptedClient();
        client.Send(client.Hello().ToMessage());
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
        client.Context.ChangeWriteKeys(client.Application.Client);
        return server;
    }

    /// <summary>Reads what the peer has sent, and expects that it ends the connection.</summary>
    public static void ExpectFailure(TlsConnection connection, ScriptedPeer peer, TlsAlert alert)
    {
        Assert.Empty(TlsPair.Receive(connection, peer.Take(), out TlsStatus status));
        Assert.Equal(TlsStatus.Failed, status);
        Assert.Equal(alert, connection.Error!.Alert);
    }
}
