using System.Globalization;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Client certificates of every kind of key, both ways, against OpenSSL and GnuTLS.</summary>
public sealed class ClientCertificateInteropTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    private const string GnuTlsPriority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

    public static TheoryData<string> Certificates => [.. InteropCases.AllCertificates];

    [Theory]
    [MemberData(nameof(Certificates))]
    public void OpenSSL_accepts_our_certificate(string name)
    {
        using ExternalProgram server = OpenSslServer(name, out int port, "-Verify", "2", "-verify_return_error");
        using TlsSocket socket = TlsSocket.Connect(port, Client(name));
        socket.Write("client is here\n"u8);
        server.WaitForOutput("client is here");
        // What s_server prints of the session: the client's certificate, in PEM.
        Assert.Contains(FirstLine(name), server.AllOutput, StringComparison.Ordinal);
        server.Write("server is here\n");
        socket.ReadUntil("server is here");
        socket.Close();
    }

    [Fact]
    public void OpenSSL_refuses_a_client_without_a_certificate()
    {
        using ExternalProgram server = OpenSslServer("p256", out int port, "-Verify", "2", "-verify_return_error");
        // The handshake is over for a client before the server has seen its flight.
        using TlsSocket socket = TlsSocket.Connect(port, new TlsClientOptions(InteropCases.ServerName) { TrustedRoots = [TestCertificates.Root] });
        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(() => socket.Read());
        Assert.Contains(nameof(TlsAlert.CertificateRequired), refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Certificates))]
    public async Task We_accept_a_certificate_of_OpenSSL(string name)
    {
        using var server = new InteropServer(Server(name), socket => Greet(socket, name));
        using ExternalProgram client = OpenSslClient(server.Port, "-cert", files.CertificateOf(name), "-key", files.KeyOf(name));
        client.Write("client is here\n");
        client.WaitForOutput("server is here");
        client.CloseInput();
        await server.Completion;
        client.WaitForExit();
    }

    [Fact]
    public async Task We_refuse_a_client_of_OpenSSL_without_a_certificate()
    {
        using var server = new InteropServer(Server("p256"), _ => Assert.Fail("The client has no certificate."));
        using ExternalProgram client = OpenSslClient(server.Port);
        InvalidOperationException refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => server.Completion);
        Assert.Contains(nameof(TlsAlert.CertificateRequired), refusal.Message, StringComparison.Ordinal);
        Assert.Contains("alert certificate required", client.WaitForExit().AllOutput, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Certificates))]
    public void GnuTLS_accepts_our_certificate(string name)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--priority", GnuTlsPriority, "--x509certfile", files.CertificateOf(name),
            "--x509keyfile", files.KeyOf(name), "--x509cafile", files.Root, "--require-client-cert", "--verify-client-cert",
        ]);
        using TlsSocket socket = TlsSocket.Connect(port, Client(name));
        socket.Write("client is here\n"u8);
        socket.ReadUntil("client is here");
        socket.Close();
    }

    [Theory]
    [MemberData(nameof(Certificates))]
    public async Task We_accept_a_certificate_of_GnuTLS(string name)
    {
        using var server = new InteropServer(Server(name), socket => Greet(socket, name));
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", server.Port.ToString(CultureInfo.InvariantCulture), "--priority", GnuTlsPriority, "--sni-hostname", InteropCases.ServerName,
            "--verify-hostname", InteropCases.ServerName, "--x509cafile", files.Root, "--x509certfile", files.CertificateOf(name),
            "--x509keyfile", files.KeyOf(name), "--logfile", files.NewFile(), "127.0.0.1",
        ]);
        client.Write("client is here\n");
        client.WaitForOutput("server is here");
        client.CloseInput();
        await server.Completion;
        client.WaitForExit().EnsureSuccess();
    }

    private static void Greet(TlsSocket socket, string name)
    {
        Assert.Equal(InteropCases.Certificate(name).RawData, socket.Connection.RemoteCertificate!.RawData);
        socket.ReadUntil("client is here\n");
        socket.Write("server is here\n"u8);
        socket.WaitForPeersClose();
        socket.Close();
    }

    private static TlsClientOptions Client(string name) =>
        new(InteropCases.ServerName) { TrustedRoots = [TestCertificates.Root], Credentials = [InteropCases.Credential(name)] };

    /// <summary>A server that has the same kind of key as the client.</summary>
    private static TlsServerOptions Server(string name)
    {
        TlsCredential credential = InteropCases.Credential(name);
        return new TlsServerOptions(_ => credential) { ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]) };
    }

    private static string FirstLine(string name) => InteropCases.Certificate(name).ExportCertificatePem().Split('\n')[1].Trim();

    private ExternalProgram OpenSslServer(string name, out int port, params string[] more)
    {
        port = FreePort.Tcp();
        return ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "-naccept", "1", "-tls1_3",
            "-cert", files.CertificateOf(name), "-key", files.KeyOf(name), "-CAfile", files.Root, .. more,
        ]);
    }

    private ExternalProgram OpenSslClient(int port, params string[] more) => ExternalProgram.Start(Requirement.Program("openssl"),
    [
        "s_client", "-connect", $"127.0.0.1:{port}", "-tls1_3", "-servername", InteropCases.ServerName, "-CAfile", files.Root, "-verify_return_error", .. more,
    ]);
}
