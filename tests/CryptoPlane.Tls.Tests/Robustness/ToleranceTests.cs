using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Robustness;

/// <summary>What must be passed over: a peer is not refused for things that mean nothing.</summary>
public sealed class ToleranceTests
{
    private static readonly byte[] s_ticketHead = [0, 0, 1, 0, 0, 0, 0, 0, 1, 9, 0, 4, 1, 2, 3, 4];

    [Fact]
    public void A_servers_groups_change_nothing()
    {
        // RFC 8446 §4.2.7: "Clients MUST NOT act upon any information found in "supported_groups" prior to successful completion of the handshake".
        using var client = new TlsClient(TlsPair.ClientOptions());
        using var server = new ScriptedServer(TlsPair.ServerOptions());
        ScriptedPeer.Drive(client, [], out byte[] hello);
        server.Feed(hello);
        server.AnswerHello();
        server.Send(ScriptedServer.EncryptedExtensions((ExtensionType.SupportedGroups, [0, 6, 0x0A, 0x0A, 0, 30, 0, 23])));
        server.Send(server.Certificate());
        server.Send(server.CertificateVerify());
        server.Send(server.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(client, server.Take(), out _));
        Assert.Equal(server.Group, client.NegotiatedGroup);
    }

    [Fact]
    public void A_ticket_without_lifetime_is_dropped()
    {
        // RFC 8446 §4.6.1: "The value of zero indicates that the ticket should be discarded immediately."
        using TlsClient client = ConnectedPeers.Client(out ScriptedServer server, keepSessions: true);
        server.Send(ScriptedPeer.Build(HandshakeType.NewSessionTicket, [0, 0, 0, 0, .. s_ticketHead.AsSpan(4), 0, 0]));
        TlsPair.Receive(client, server.Take(), out TlsStatus status);
        Assert.Equal(TlsStatus.NeedMoreData, status);
        Assert.False(client.TryTakeSession(out _));
        server.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_unknown_extension_of_a_ticket_is_passed_over(bool keepSessions)
    {
        // RFC 8446 §4.6.1: "Clients MUST ignore unrecognized extensions."
        using TlsClient client = ConnectedPeers.Client(out ScriptedServer server, keepSessions);
        server.Send(ScriptedPeer.Build(HandshakeType.NewSessionTicket, [.. s_ticketHead, 0, 6, 0x1A, 0x1A, 0, 2, 5, 5]));
        server.SendRecord(TlsContentType.ApplicationData, "data"u8);
        Assert.Equal("data"u8.ToArray(), TlsPair.Receive(client, server.Take(), out TlsStatus status));
        Assert.Equal(TlsStatus.NeedMoreData, status);
        Assert.Equal(keepSessions, client.TryTakeSession(out TlsSession? session));
        session?.Dispose();
        server.Dispose();
    }

    [Fact]
    public void Empty_application_data_is_passed_over()
    {
        // RFC 8446 §5.1: "Zero-length fragments of Application Data MAY be sent, as they are potentially useful as a traffic analysis countermeasure."
        using TlsServer server = ConnectedPeers.Server(out ScriptedClient client);
        for (int i = 0; i < 1000; i++)
            client.SendRecord(TlsContentType.None, [(byte)TlsContentType.ApplicationData, .. new byte[i % 20]]);
        client.SendRecord(TlsContentType.ApplicationData, "data"u8);
        Assert.Equal("data"u8.ToArray(), TlsPair.Receive(server, client.Take(), out TlsStatus status));
        Assert.Equal(TlsStatus.NeedMoreData, status);
        client.Dispose();
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 0)]
    [InlineData(3, 4)]
    [InlineData(0xFF, 0xFF)]
    public void The_version_of_a_record_does_not_count(byte major, byte minor)
    {
        // RFC 8446 §5.1: legacy_record_version "MUST be ignored for all purposes". Protected records are another matter: it is in their AAD.
        using var client = new ScriptedClient();
        using var server = new TlsServer(TlsPair.ServerOptions());
        client.Send(client.Hello().ToMessage());
        byte[] hello = client.Take();
        (hello[1], hello[2]) = (major, minor);
        ScriptedPeer.Drive(server, hello, out byte[] flight);
        client.TakeFlight(flight);
        client.SendRaw(20, major, minor, 0, 1, 1);
        client.Send(client.Finished());
        Assert.Equal(TlsStatus.Complete, ScriptedPeer.Drive(server, client.Take(), out _));
    }
}
