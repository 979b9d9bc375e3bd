using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Tickets of ours with OpenSSL's and GnuTLS's clients, and theirs with our client.</summary>
public sealed class ResumptionInteropTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    public static TheoryData<TlsCipherSuite, bool> Cases => new()
    {
        { TlsCipherSuite.Aes128GcmSha256, false },
        { TlsCipherSuite.Aes256GcmSha384, false },
        { TlsCipherSuite.ChaCha20Poly1305Sha256, true },
        { TlsCipherSuite.Aes256GcmSha384, true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task OpenSsl_resumes_with_our_ticket(TlsCipherSuite suite, bool retry)
    {
        TlsServerOptions options = Server(suite, TlsNamedGroup.Secp256r1);
        string session = files.NewFile();
        foreach (bool resumed in new[] { false, true })
        {
            using var server = new InteropServer(options, socket => Greet(socket, resumed, retry));
            using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"),
            [
                "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_3", "-groups", retry ? "P-384:P-256" : "P-256", "-CAfile", files.Root,
                "-servername", InteropCases.ServerName, "-verify_return_error", resumed ? "-sess_in" : "-sess_out", session,
            ]);
            client.Write("hello\n");
            client.WaitForOutput("welcome");
            await server.Completion;
            client.CloseInput();
            Assert.Contains(resumed ? "Reused, TLSv1.3" : "New, TLSv1.3", client.WaitForExit().Output, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task GnuTls_resumes_with_our_ticket(TlsCipherSuite suite, bool retry)
    {
        // GnuTLS sends a share of the first group of each kind: two NIST curves, of which the server has the other.
        TlsServerOptions options = Server(suite, TlsNamedGroup.Secp256r1);
        TlsNamedGroup[] groups = retry ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1] : [TlsNamedGroup.Secp256r1];
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(() =>
        {
            using (TlsSocket first = TlsSocket.Accept(listener, options))
            {
                Assert.False(first.Connection.IsResumed);
                first.WaitForPeersClose();
                first.Close();
            }
            using TlsSocket second = TlsSocket.Accept(listener, options);
            Greet(second, resumed: true, retry);
        }, TestContext.Current.CancellationToken);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture), "--resume", "--waitresumption",
            "--priority", InteropCases.GnuTlsPriority(suite, groups), "--x509cafile", files.Root, "--sni-hostname", InteropCases.ServerName,
            "--verify-hostname", InteropCases.ServerName, "127.0.0.1",
        ]);
        client.WaitForOutput("This is a resumed session");
        client.Write("hello\n");
        client.WaitForOutput("welcome");
        await serving;
        client.CloseInput();
        client.WaitForExit();
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void We_resume_with_OpenSsls_ticket(TlsCipherSuite suite, bool retry)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", $"127.0.0.1:{port}", "-naccept", "2", "-tls1_3", "-ciphersuites", InteropCases.OpenSslSuite(suite), "-groups", "P-256",
            "-cert", files.CertificateOf("p256"), "-key", files.KeyOf("p256"),
        ]);
        ConnectTwice(port, suite, retry, socket =>
        {
            server.WaitForOutput("hello");
            // Behind the tickets.
            server.Write("welcome\n");
            socket.ReadUntil("welcome");
        });
        Assert.Contains("Reused session-id", server.WaitForExit().AllOutput, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void We_resume_with_GnuTls_ticket(TlsCipherSuite suite, bool retry)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--quiet", "--priority",
            InteropCases.GnuTlsPriority(suite, TlsNamedGroup.Secp256r1), "--x509certfile", files.CertificateOf("p256"), "--x509keyfile", files.KeyOf("p256"),
        ]);
        ConnectTwice(port, suite, retry, socket => socket.ReadUntil("hello"));
    }

    /// <summary>Connects, takes a session, and resumes it.</summary>
    /// <param name="port">The server's.</param>
    /// <param name="suite">The suite.</param>
    /// <param name="retry">Whether the server asks for another share.</param>
    /// <param name="converse">Goes on behind the client's "hello" until something has come that the server sends behind its tickets.</param>
    private static void ConnectTwice(int port, TlsCipherSuite suite, bool retry, Action<TlsSocket> converse)
    {
        TlsSession? session = null;
        foreach (bool resumed in new[] { false, true })
        {
            using TlsSocket socket = TlsSocket.Connect(port, Client(suite, session, retry));
            Assert.Equal(resumed, socket.Connection.IsResumed);
            Assert.Equal(retry, socket.Connection.WasRetried);
            socket.Write("hello\n"u8);
            converse(socket);
            session?.Dispose();
            Assert.True(((TlsClient)socket.Connection).TryTakeSession(out session));
            socket.Close();
        }
        session!.Dispose();
    }

    private static void Greet(TlsSocket socket, bool resumed, bool retried)
    {
        Assert.Equal(resumed, socket.Connection.IsResumed);
        Assert.Equal(retried, socket.Connection.WasRetried);
        socket.ReadUntil("hello\n");
        socket.Write("welcome\n"u8);
        // gnutls-cli answers with a close of the connection alone.
        socket.Close();
    }

    private static TlsServerOptions Server(TlsCipherSuite suite, TlsNamedGroup group) =>
        new(new TlsCredential(TestCertificates.EcdsaP256)) { CipherSuites = [suite], Groups = [group], TicketProtector = new TlsTicketKeyRing() };

    private static TlsClientOptions Client(TlsCipherSuite suite, TlsSession? session, bool retry) => new(InteropCases.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        CipherSuites = [suite],
        Groups = retry ? [TlsNamedGroup.Secp384r1, TlsNamedGroup.Secp256r1] : [TlsNamedGroup.Secp256r1],
        KeepSessions = true,
        Session = session,
    };
}
