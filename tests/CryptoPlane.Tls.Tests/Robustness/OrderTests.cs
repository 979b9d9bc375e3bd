using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Robustness;

/// <summary>Handshake messages behind the handshake that have no place there (RFC 8446 §4.6).</summary>
public sealed class OrderTests
{
    // §4.1.2: no renegotiation. §4.6.2: post-handshake authentication was not offered. §4.6.1: only servers give tickets.
    private static readonly HandshakeType[] s_never =
    [
        HandshakeType.ClientHello, HandshakeType.ServerHello, HandshakeType.EndOfEarlyData, HandshakeType.EncryptedExtensions, HandshakeType.Certificate,
        HandshakeType.CertificateRequest, HandshakeType.CertificateVerify, HandshakeType.Finished, HandshakeType.MessageHash, (HandshakeType)0, (HandshakeType)99,
    ];

    public static TheoryData<int> ToClients => [.. s_never.Select(type => (int)type)];

    public static TheoryData<int> ToServers => [.. s_never.Append(HandshakeType.NewSessionTicket).Select(type => (int)type)];

    [Theory]
    [MemberData(nameof(ToClients))]
    public void A_client_behind_its_handshake_refuses_them(int type)
    {
        using TlsClient client = ConnectedPeers.Client(out ScriptedServer server);
        server.Send(ScriptedPeer.Build((HandshakeType)type, [.. new byte[40]]));
        ConnectedPeers.ExpectFailure(client, server, TlsAlert.UnexpectedMessage);
        server.Dispose();
    }

    [Theory]
    [MemberData(nameof(ToServers))]
    public void A_server_behind_its_handshake_refuses_them(int type)
    {
        using TlsServer server = ConnectedPeers.Server(out ScriptedClient client);
        client.Send(ScriptedPeer.Build((HandshakeType)type, [.. new byte[40]]));
        ConnectedPeers.ExpectFailure(server, client, TlsAlert.UnexpectedMessage);
        client.Dispose();
    }
}
