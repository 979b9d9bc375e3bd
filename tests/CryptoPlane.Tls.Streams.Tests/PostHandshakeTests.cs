using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Streams.Tests.Support;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests;

/// <summary>A server, Python's, that asks for a certificate behind the handshake, while the client reads.</summary>
public sealed class PostHandshakeTests
{
    private const string Server = """
        import socket, ssl, sys
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        context.load_verify_locations(sys.argv[3])
        context.verify_mode = ssl.CERT_REQUIRED
        context.post_handshake_auth = True
        listener = socket.create_server(("127.0.0.1", 0))
        print(f"port {listener.getsockname()[1]}.", flush=True)
        connection = context.wrap_socket(listener.accept()[0], server_side=True)
        assert connection.getpeercert() is None
        assert connection.recv(5) == b"hello"
        connection.verify_client_post_handshake()
        connection.sendall(b"asked")
        assert connection.recv(5) == b"again"
        connection.sendall(dict(pair[0] for pair in connection.getpeercert()["subject"])["commonName"].encode())
        connection.unwrap()
        """;

    [Fact]
    public async Task A_certificate_is_shown_while_data_is_read()
    {
        string python = Requirement.Program("/usr/bin/python3", "python3");
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("server.py"), Server, StreamPair.Token);
        await File.WriteAllTextAsync(directory.File("cert.pem"), TestCertificates.Rsa2048.ExportCertificatePem(), StreamPair.Token);
        using (RSA key = TestCertificates.Rsa2048.GetRSAPrivateKey()!)
            await File.WriteAllTextAsync(directory.File("key.pem"), key.ExportPkcs8PrivateKeyPem(), StreamPair.Token);
        await File.WriteAllTextAsync(directory.File("root.pem"), TestCertificates.Root.ExportCertificatePem(), StreamPair.Token);
        using ExternalProgram server = ExternalProgram.Start(
            python, [directory.File("server.py"), directory.File("cert.pem"), directory.File("key.pem"), directory.File("root.pem")]);
        server.WaitForOutput(".");
        using ECDsa clientKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = TestCertificates.Issue(clientKey, HashAlgorithmName.SHA256, "client.example", usage: "1.3.6.1.5.5.7.3.2");

        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", int.Parse(server.Output.Split(' ', '.')[1], System.Globalization.CultureInfo.InvariantCulture), StreamPair.Token);
        await using var stream = new CryptoPlaneSslStream(tcp.GetStream());
        await stream.AuthenticateAsClientAsync(
            new TlsClientOptions(TestCertificates.ServerName)
            {
                TrustedRoots = [TestCertificates.Root],
                Credentials = [new TlsCredential(certificate)],
                AllowPostHandshakeAuthentication = true,
            },
            StreamPair.Token);
        byte[] text = new byte[5];
        await stream.WriteAsync("hello"u8.ToArray(), StreamPair.Token);
        await stream.ReadExactlyAsync(text, StreamPair.Token);
        Assert.Equal("asked", Encoding.ASCII.GetString(text));
        await stream.WriteAsync("again"u8.ToArray(), StreamPair.Token);
        using var reader = new StreamReader(stream, leaveOpen: true);
        Assert.Equal("client.example", await reader.ReadToEndAsync(StreamPair.Token));
        // Python's unwrap waits for our close_notify as well.
        await stream.ShutdownAsync(StreamPair.Token);
        server.WaitForExit().EnsureSuccess();
    }
}
