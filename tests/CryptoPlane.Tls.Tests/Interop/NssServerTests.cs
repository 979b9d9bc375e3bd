using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our client against <c>selfserv</c> of NSS, which answers a request with a page that shows it.</summary>
public sealed class NssServerTests(NssDatabase nss) : IClassFixture<NssDatabase>
{
    private const string Request = "GET / HTTP/1.0\r\n\r\n";

    public static TheoryData<string> Certificates => [.. InteropCases.Certificates];

    [Theory]
    [MemberData(nameof(Certificates))]
    public void Every_suite_and_group_is_negotiated_resumed_and_retried(string certificate)
    {
        using ExternalProgram server = nss.StartServer(certificate, out int port);
        foreach (TheoryDataRow<TlsCipherSuite, TlsNamedGroup, string> row in InteropCases.All())
        {
            (TlsCipherSuite suite, TlsNamedGroup group, _) = row.Data;
            // With three certificates, each meets each suite and each group.
            if (row.Data.Item3 != certificate)
                continue;
            using TlsSession first = Exchange(port, Options(suite, [group]), isRetried: false);
            Exchange(port, Options(suite, [group], first), isRetried: false).Dispose();
            // It does not have the hybrid group: a share of that alone buys a HelloRetryRequest.
            Exchange(port, Options(suite, [TlsNamedGroup.X25519MLKem768, group]), isRetried: true).Dispose();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_passes_over_our_early_data(bool retry)
    {
        // It takes none in the first ten seconds, since it cannot know what came before it began.
        using ExternalProgram server = nss.StartServer("p256", out int port, "-Z");
        using TlsSession session = Exchange(port, Options(TlsCipherSuite.Aes128GcmSha256, [TlsNamedGroup.X25519]), isRetried: false);
        Assert.NotEqual(0, session.MaxEarlyData);
        TlsNamedGroup[] groups = retry ? [TlsNamedGroup.X25519MLKem768, TlsNamedGroup.X25519] : [TlsNamedGroup.X25519];
        using TlsSocket socket = TlsSocket.Connect(port, Options(TlsCipherSuite.Aes128GcmSha256, groups, session), "early hello"u8.ToArray());
        Assert.Equal((TlsEarlyDataStatus.Rejected, retry), (socket.Connection.EarlyDataStatus, socket.Connection.WasRetried));
        socket.Write(Encoding.ASCII.GetBytes(Request));
        Assert.DoesNotContain("early hello", socket.ReadUntil("EOF"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Certificates))]
    public void It_accepts_our_certificate(string name)
    {
        using ExternalProgram server = nss.StartServer("p256", out int port, "-r", "-r");
        Exchange(port, Options(TlsCipherSuite.Aes128GcmSha256, [TlsNamedGroup.X25519], certificate: name), isRetried: false).Dispose();
    }

    [Fact]
    public void It_refuses_a_client_without_a_certificate()
    {
        using ExternalProgram server = nss.StartServer("p256", out int port, "-r", "-r");
        // The handshake is over for a client before the server has seen its flight.
        using TlsSocket socket = TlsSocket.Connect(port, Options(TlsCipherSuite.Aes128GcmSha256, [TlsNamedGroup.X25519]));
        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(() => socket.Read());
        Assert.Contains(nameof(TlsErrorKind.PeerAlerted), refusal.Message, StringComparison.Ordinal);
        Assert.Contains(nameof(TlsAlert.CertificateRequired), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_gets_our_certificate_behind_the_handshake()
    {
        // The third and the fourth -r are for the certificate that it asks for once it has a request.
        using ExternalProgram server = nss.StartServer("p256", out int port, "-r", "-r", "-r", "-r", "-E", "-v");
        TlsClientOptions options = Options(TlsCipherSuite.Aes256GcmSha384, [TlsNamedGroup.X25519], certificate: "rsa", allowPostHandshake: true);
        Exchange(port, options, isRetried: false).Dispose();
        server.WaitForOutput("Certificate Validated");
    }

    /// <summary>Sends a request and takes the page, with new keys for either side, and the ticket.</summary>
    private static TlsSession Exchange(int port, TlsClientOptions options, bool isRetried)
    {
        using TlsSocket socket = TlsSocket.Connect(port, options);
        var client = (TlsClient)socket.Connection;
        Assert.Equal((options.CipherSuites[0], options.Groups[^1]), (client.NegotiatedCipherSuite, client.NegotiatedGroup));
        Assert.Equal((isRetried, options.Session is not null), (client.WasRetried, client.IsResumed));
        client.UpdateKeys(requestPeer: true);
        socket.Write(Encoding.ASCII.GetBytes(Request));
        Assert.Contains("200 OK", socket.ReadUntil("EOF"), StringComparison.Ordinal);
        Assert.Equal((1u, 1u), (client.KeyUpdatesSent, client.KeyUpdatesReceived));
        Assert.True(client.TryTakeSession(out TlsSession? session));
        socket.WaitForPeersClose();
        socket.Close();
        return session;
    }

    private static TlsClientOptions Options(
        TlsCipherSuite suite, TlsNamedGroup[] groups, TlsSession? session = null, string? certificate = null, bool allowPostHandshake = false) =>
        new(InteropCases.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            CipherSuites = [suite],
            Groups = groups,
            KeyShareGroups = [groups[0]],
            KeepSessions = true,
            Session = session,
            DangerousSendEarlyData = session?.MaxEarlyData > 0,
            Credentials = certificate is null ? [] : [InteropCases.Credential(certificate)],
            AllowPostHandshakeAuthentication = allowPostHandshake,
        };
}
