using System.Security.Cryptography;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>
/// Our client against servers of Java, Python, Go and wolfSSL: every suite and group, with and without a HelloRetryRequest, resumed, with
/// KeyUpdates, and with a certificate of ours behind the HelloRetryRequest.
/// </summary>
public sealed class PeerServerTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    [Theory]
    [Trait("Speed", "slow")]
    [InlineData(InteropPeer.Java, "p256")]
    [InlineData(InteropPeer.Python, "rsa")]
    [InlineData(InteropPeer.Go, "p384")]
    [InlineData(InteropPeer.WolfSsl, "p256")]
    public void Every_suite_and_group_is_negotiated_retried_and_resumed(InteropPeer peer, string certificate)
    {
        TheoryData<TlsCipherSuite, TlsNamedGroup, string> cases = InteropCases.All();
        using ExternalProgram server = InteropPeers.StartServer(
            peer, 3 * cases.Count, certificate, files, out int port);
        foreach (TheoryDataRow<TlsCipherSuite, TlsNamedGroup, string> row in cases)
        {
            (TlsCipherSuite suite, TlsNamedGroup group, _) = row.Data;
            TlsSession? session = null;
            Exchange(peer, port, suite, group, isRetried: false, ref session);
            using (TlsSession first = session!)
                Exchange(peer, port, suite, group, isRetried: false, ref session);
            session!.Dispose();
            session = null;
            Exchange(peer, port, suite, group, isRetried: true, ref session);
            session!.Dispose();
        }
        string output = server.WaitForExit(InteropPeers.Timeout).EnsureSuccess().Output;
        Assert.Contains("done.", output, StringComparison.Ordinal);
        Assert.Equal(cases.Count, output.Split("client: certificate").Length - 1);
        Assert.Equal(2 * cases.Count, output.Split("client: none").Length - 1);
    }

    private static void Exchange(InteropPeer peer, int port, TlsCipherSuite suite, TlsNamedGroup group, bool isRetried, ref TlsSession? session)
    {
        var options = new TlsClientOptions(InteropCases.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            CipherSuites = [suite],
            // None of these peers has the hybrid group: a share of that alone buys a HelloRetryRequest.
            Groups = isRetried ? [TlsNamedGroup.X25519MLKem768, group] : [group],
            KeyShareGroups = isRetried ? [TlsNamedGroup.X25519MLKem768] : null,
            KeepSessions = true,
            Credentials = isRetried ? [InteropCases.Credential(InteropPeers.ClientCertificate(peer))] : [],
            Session = session,
        };
        using TlsSocket socket = TlsSocket.Connect(port, options);
        var client = (TlsClient)socket.Connection;
        byte[] data = RandomNumberGenerator.GetBytes(InteropPeers.Size / 2);
        foreach (bool requestPeer in (bool[])[false, true])
        {
            socket.Write(data);
            Assert.Equal(data, socket.ReadExactly(data.Length));
            client.UpdateKeys(requestPeer);
        }
        socket.Write(data);
        Assert.Equal(data, socket.ReadExactly(data.Length));
        Assert.Equal((suite, group), (client.NegotiatedCipherSuite, client.NegotiatedGroup));
        Assert.Equal((isRetried, session is not null), (client.WasRetried, client.IsResumed));
        // Java's own KeyUpdates ask for answers.
        Assert.True(client.KeyUpdatesSent >= 2);
        Assert.True(client.KeyUpdatesReceived > 0);
        Assert.True(client.TryTakeSession(out session));
        socket.Close();
        socket.WaitForPeersClose();
    }
}
