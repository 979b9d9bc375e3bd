using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>
/// Our server against clients of Java, Python, Go and wolfSSL: every suite and group, each connection then resumed, with client
/// certificates in some, and with KeyUpdates.
/// </summary>
public sealed class PeerClientTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    /// <summary>Which connection it is, for the message of a failure.</summary>
    private volatile string _now = "";

    [Theory]
    [Trait("Speed", "slow")]
    [InlineData(InteropPeer.Java)]
    [InlineData(InteropPeer.Python)]
    [InlineData(InteropPeer.Go)]
    [InlineData(InteropPeer.WolfSsl)]
    public async Task Every_suite_and_group_is_negotiated_and_resumed(InteropPeer peer)
    {
        // The test ends the listener if a connection fails, so that the client ends as well.
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(() => Serve(listener, peer), TestContext.Current.CancellationToken);
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using ExternalProgram client = InteropPeers.StartClient(peer, port, 2 * InteropCases.All().Count, files);
        try
        {
            await serving.WaitAsync(InteropPeers.Timeout, TestContext.Current.CancellationToken);
        }
        catch (Exception exception) when (exception is InvalidOperationException or EndOfStreamException or TimeoutException)
        {
            listener.Stop();
            throw new InvalidOperationException($"{_now}: {exception.Message} The client says: {client.WaitForExit().AllOutput}", exception);
        }
        Assert.Contains("done.", client.WaitForExit(InteropPeers.Timeout).EnsureSuccess().Output, StringComparison.Ordinal);
    }

    private void Serve(TcpListener listener, InteropPeer peer)
    {
        foreach (TheoryDataRow<TlsCipherSuite, TlsNamedGroup, string> row in InteropCases.All())
        {
            (TlsCipherSuite suite, TlsNamedGroup group, string certificate) = row.Data;
            // None of them begins with a share of P-384, all but Java with one of X25519 alone. The binders of Debian's
            // Go behind a HelloRetryRequest are wrong (golang/go issue 59424: from 1.19.6 and 1.20.1 on).
            bool isRetried = group == TlsNamedGroup.Secp384r1 || (peer != InteropPeer.Java && group != TlsNamedGroup.X25519);
            bool givesTickets = peer != InteropPeer.Go || !isRetried;
            // Where our certificate is of P-256, we want the client's: that is with each suite and with each group once.
            bool asks = certificate == "p256";
            // One object for two connections: the ticket of the first is for the second.
            var options = new TlsServerOptions(new TlsCredential(InteropCases.Certificate(certificate)))
            {
                CipherSuites = [suite],
                Groups = [group],
                ApplicationProtocols = [SslApplicationProtocol.Http11],
                TicketProtector = givesTickets ? new TlsTicketKeyRing() : null,
                ClientAuthentication = asks ? new TlsClientAuthentication([TestCertificates.Root]) : null,
            };
            foreach (bool resumed in (bool[])[false, true])
            {
                _now = $"{suite}, {group}, {certificate}, {(resumed ? "resumed" : "full")}";
                using TlsSocket socket = TlsSocket.Accept(listener, options);
                InteropServer.Echo(socket, InteropPeers.Size, updatesKeys: resumed);
                Assert.Equal((suite, group), (socket.Connection.NegotiatedCipherSuite, socket.Connection.NegotiatedGroup));
                Assert.Equal(SslApplicationProtocol.Http11, socket.Connection.ApplicationProtocol);
                Assert.Equal(InteropCases.ServerName, socket.Connection.ServerName);
                Assert.Equal(resumed && givesTickets, socket.Connection.IsResumed);
                Assert.Equal(isRetried, socket.Connection.WasRetried);
                Assert.Equal(asks ? InteropCases.Certificate(InteropPeers.ClientCertificate(peer)).RawData : null, socket.Connection.RemoteCertificate?.RawData);
                // By itself, or since we have asked it to.
                if (InteropPeers.UpdatesKeys(peer) || resumed)
                    Assert.True(socket.Connection.KeyUpdatesReceived > 0);
            }
        }
    }
}
