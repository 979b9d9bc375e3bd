using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using CryptoPlane.Tls.Streams.Tests.Support;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>What a handshake leaves in the properties, and how it fails.</summary>
public sealed class HandshakeTests
{
    [Fact]
    public async Task The_properties_say_what_was_negotiated()
    {
        await using StreamPair pair = await StreamPair.OursAsync(
            new TlsClientOptions(TestCertificates.ServerName)
            {
                TrustedRoots = [TestCertificates.Root],
                ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
                Groups = [TlsNamedGroup.Secp384r1],
            },
            new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { ApplicationProtocols = [SslApplicationProtocol.Http11] });
        byte[][] exported = [new byte[32], new byte[32]];
        foreach (CryptoPlaneSslStream stream in (CryptoPlaneSslStream[])[pair.OurClient, pair.OurServer])
        {
            Assert.True(stream is { IsAuthenticated: true, IsEncrypted: true, IsSigned: true, IsMutuallyAuthenticated: false, CanRead: true, CanWrite: true, CanSeek: false });
            Assert.Equal(SslProtocols.Tls13, stream.SslProtocol);
            Assert.Equal(System.Net.Security.TlsCipherSuite.TLS_AES_128_GCM_SHA256, stream.NegotiatedCipherSuite);
            Assert.Equal(SslApplicationProtocol.Http11, stream.NegotiatedApplicationProtocol);
            Assert.Equal(TlsNamedGroup.Secp384r1, stream.NegotiatedGroup);
            Assert.Equal(TestCertificates.ServerName, stream.TargetHostName);
            Assert.False(stream.IsResumed);
            stream.ExportKeyingMaterial("EXPORTER-Channel-Binding", [], exported[stream.IsServer ? 1 : 0]);
        }
        Assert.Equal(exported[0], exported[1]);
        Assert.False(pair.OurClient.IsServer);
        Assert.True(pair.OurServer.IsServer);
        Assert.Equal(TestCertificates.EcdsaP256.GetCertHashString(), pair.OurClient.RemoteCertificate?.GetCertHashString());
        Assert.Null(pair.OurServer.RemoteCertificate);
    }

    [Fact]
    public async Task A_session_is_resumed()
    {
        var server = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { TicketProtector = new TlsTicketKeyRing() };
        TlsSession? session;
        await using (StreamPair first = await StreamPair.OursAsync(
            new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], KeepSessions = true }, server))
        {
            await first.Server.WriteAsync(new byte[1], StreamPair.Token);
            await first.Client.ReadExactlyAsync(new byte[1], StreamPair.Token);
            Assert.True(first.OurClient.TryTakeSession(out session));
            Assert.False(first.OurServer.TryTakeSession(out _));
        }
        using (session)
        {
            await using StreamPair second = await StreamPair.OursAsync(
                new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], Session = session }, server);
            Assert.True(second.OurClient.IsResumed);
            Assert.True(second.OurServer.IsResumed);
        }
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_fails_on_both_sides()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var client = new CryptoPlaneSslStream(tcp.Client);
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        Task serving = server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token);
        await Assert.ThrowsAsync<AuthenticationException>(() => client.AuthenticateAsClientAsync(new TlsClientOptions(TestCertificates.ServerName), StreamPair.Token));
        Assert.Equal(TlsErrorKind.CertificateRejected, client.Error?.Kind);
        await Assert.ThrowsAsync<AuthenticationException>(() => serving);
        Assert.Equal(TlsErrorKind.PeerAlerted, server.Error?.Kind);
        Assert.False(server.IsAuthenticated);
        Assert.False(client.CanRead);
        await Assert.ThrowsAsync<InvalidOperationException>(() => client.AuthenticateAsClientAsync(StreamPair.ClientOptions, StreamPair.Token));
    }

    [Fact]
    public async Task A_peer_that_speaks_http_is_refused_with_an_alert()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        await tcp.Client.WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray(), StreamPair.Token);
        await Assert.ThrowsAsync<AuthenticationException>(() => server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        Assert.Equal(TlsErrorKind.PeerMisbehaved, server.Error?.Kind);
        byte[] alert = new byte[7];
        await tcp.Client.ReadExactlyAsync(alert, StreamPair.Token);
        Assert.Equal(21, alert[0]);
    }

    [Fact]
    public async Task A_peer_that_has_only_tls_1_2_is_refused()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var client = new SslStream(tcp.Client);
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        SslClientAuthenticationOptions options = StreamPair.FrameworkClientOptions;
        options.EnabledSslProtocols = SslProtocols.Tls12;
        Task connecting = client.AuthenticateAsClientAsync(options, StreamPair.Token);
        await Assert.ThrowsAsync<AuthenticationException>(() => server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
        Assert.Equal(TlsAlert.ProtocolVersion, server.Error?.Alert);
        await Assert.ThrowsAsync<AuthenticationException>(() => connecting);
    }

    [Fact]
    public async Task Early_data_is_refused()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var stream = new CryptoPlaneSslStream(tcp.Server);
        await Assert.ThrowsAsync<NotSupportedException>(() => stream.AuthenticateAsServerAsync(
            new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256))
            {
                TicketProtector = new TlsTicketKeyRing(),
                DangerousAcceptEarlyData = new TlsEarlyDataPolicy(1_000, new TlsReplayGuard(1_000)),
            },
            StreamPair.Token));
        await Assert.ThrowsAsync<NotSupportedException>(() => stream.AuthenticateAsClientAsync(
            new TlsClientOptions(TestCertificates.ServerName) { DangerousSendEarlyData = true }, StreamPair.Token));
    }

    [Fact]
    public async Task A_peer_that_leaves_ends_the_handshake()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var server = new CryptoPlaneSslStream(tcp.Server);
        ((NetworkStream)tcp.Client).Socket.Shutdown(SocketShutdown.Send);
        await Assert.ThrowsAsync<EndOfStreamException>(() => server.AuthenticateAsServerAsync(StreamPair.ServerOptions, StreamPair.Token));
    }

    [Fact]
    public async Task Before_the_handshake_there_is_nothing_to_read_or_to_say()
    {
        await using StreamPair tcp = await StreamPair.ConnectAsync();
        await using var stream = new CryptoPlaneSslStream(tcp.Server);
        Assert.False(stream.CanRead);
        Assert.False(stream.CanWrite);
        Assert.Equal(SslProtocols.None, stream.SslProtocol);
        Assert.Equal("", stream.TargetHostName);
        Assert.Throws<InvalidOperationException>(() => stream.NegotiatedCipherSuite);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[1], StreamPair.Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.ShutdownAsync(StreamPair.Token));
        Assert.Throws<ArgumentException>(() => new CryptoPlaneSslStream(new MemoryStream([], writable: false)));
    }
}
