using System.Globalization;
using System.Security.Cryptography;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Certificates that are asked for behind the handshake (RFC 8446 §4.6.2): by servers of others, and by ours.</summary>
public sealed class PostHandshakeInteropTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    /// <summary>Python's ssl: asks after a first line, and says whose certificate it got.</summary>
    private const string PythonServer = """
        import hashlib, socket, ssl, sys
        port, certificate, key, root = int(sys.argv[1]), *sys.argv[2:5]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(root)
        context.verify_mode = ssl.CERT_REQUIRED
        context.post_handshake_auth = True
        with socket.create_server(("127.0.0.1", port)) as listener:
            with context.wrap_socket(listener.accept()[0], server_side=True) as connection:
                for _ in range(2):
                    connection.recv(100)
                    connection.verify_client_post_handshake()
                    connection.sendall(b"asked\n")
                    connection.recv(100)
                    shown = connection.getpeercert(True)
                    connection.sendall((hashlib.sha256(shown).hexdigest() if shown else "nobody").encode() + b"\n")
        """;

    [Theory]
    [InlineData("p256")]
    [InlineData("rsapss")]
    [InlineData("ed25519")]
    public void Python_gets_our_certificate_when_it_asks(string name)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("/usr/bin/python3", "python3"),
            ["-c", PythonServer, port.ToString(CultureInfo.InvariantCulture), files.CertificateOf("p256"), files.KeyOf("p256"), files.Root]);
        using TlsSocket socket = TlsSocket.Connect(port, Options(name));
        for (int round = 0; round < 2; round++)
        {
            socket.Write("ask\n"u8);
            socket.ReadUntil("asked");
            // The second answer is under a new key.
            socket.Connection.UpdateKeys();
            socket.Write("answered\n"u8);
            socket.ReadUntil(Convert.ToHexStringLower(SHA256.HashData(InteropCases.Certificate(name).RawData)));
        }
        socket.Close();
    }

    [Fact]
    public void OpenSSL_gets_our_certificate_when_it_asks()
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "-naccept", "1", "-tls1_3",
            "-cert", files.CertificateOf("p256"), "-key", files.KeyOf("p256"), "-CAfile", files.Root, "-msg",
        ]);
        using TlsSocket socket = TlsSocket.Connect(port, Options("p384"));
        socket.Write("client is here\n"u8);
        server.WaitForOutput("client is here");
        Assert.DoesNotContain("CertificateVerify", server.AllOutput.Split("client is here")[1], StringComparison.Ordinal);
        server.Write("c\n");
        // It reads commands one by one: the request has gone out when it says so, and the next line is data.
        server.WaitForOutput("CertificateRequest");
        server.Write("server asked\n");
        socket.ReadUntil("server asked");
        socket.Write("client answered\n"u8);
        server.WaitForOutput("client answered");
        string behind = server.AllOutput.Split("CertificateRequest")[1];
        Assert.Contains("CertificateVerify", behind, StringComparison.Ordinal);
        Assert.Contains("Finished", behind, StringComparison.Ordinal);
    }

    [Fact]
    public void GnuTLS_gets_our_certificate_when_it_asks()
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "--x509certfile",
            files.CertificateOf("p256"), "--x509keyfile", files.KeyOf("p256"), "--x509cafile", files.Root, "--require-client-cert", "--verify-client-cert",
        ]);
        using TlsSocket socket = TlsSocket.Connect(port, Options("ed25519"));
        socket.Write("**REAUTH**\n"u8);
        socket.ReadUntil("Successfully executed command");
        socket.Write("still here\n"u8);
        socket.ReadUntil("still here");
        socket.Close();
    }

    [Theory]
    [InlineData("p256")]
    [InlineData("rsapss")]
    public async Task We_get_a_certificate_of_OpenSSL_when_we_ask(string name)
    {
        using InteropServer server = Asking(name);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_3", "-servername", InteropCases.ServerName, "-CAfile", files.Root,
            "-verify_return_error", "-enable_pha", "-cert", files.CertificateOf(name), "-key", files.KeyOf(name),
        ]);
        await Talk(client, server);
    }

    [Theory]
    [InlineData("p384")]
    [InlineData("ed25519")]
    public async Task We_get_a_certificate_of_GnuTLS_when_we_ask(string name)
    {
        using InteropServer server = Asking(name);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", server.Port.ToString(CultureInfo.InvariantCulture), "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3", "--sni-hostname",
            InteropCases.ServerName, "--verify-hostname", InteropCases.ServerName, "--x509cafile", files.Root, "--post-handshake-auth",
            "--x509certfile", files.CertificateOf(name), "--x509keyfile", files.KeyOf(name), "--logfile", files.NewFile(), "127.0.0.1",
        ]);
        await Talk(client, server);
    }

    /// <summary>Asks behind the client's first line, and says so; the client's next line comes behind its answer.</summary>
    private static InteropServer Asking(string name)
    {
        TlsCredential credential = InteropCases.Credential("p256");
        var options = new TlsServerOptions(_ => credential) { ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) { IsDeferred = true } };
        return new InteropServer(options, socket =>
        {
            socket.ReadUntil("client is here\n");
            Assert.True(((TlsServer)socket.Connection).TryRequestCertificate());
            socket.Write("server asked\n"u8);
            socket.ReadUntil("client answered\n");
            Assert.Equal(InteropCases.Certificate(name).RawData, socket.Connection.RemoteCertificate!.RawData);
            socket.Write("server knows\n"u8);
            socket.WaitForPeersClose();
            socket.Close();
        });
    }

    private static async Task Talk(ExternalProgram client, InteropServer server)
    {
        client.Write("client is here\n");
        client.WaitForOutput("server asked");
        client.Write("client answered\n");
        client.WaitForOutput("server knows");
        client.CloseInput();
        await server.Completion;
        client.WaitForExit();
    }

    private static TlsClientOptions Options(string name) => new(InteropCases.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        Credentials = [InteropCases.Credential(name)],
        AllowPostHandshakeAuthentication = true,
    };
}
