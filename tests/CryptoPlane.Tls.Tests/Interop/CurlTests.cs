using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server against <c>curl</c>, with just enough HTTP for one request.</summary>
public sealed class CurlTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task An_upload_and_a_download_arrive_whole(TlsCipherSuite suite, TlsNamedGroup group, string certificate)
    {
        using var server = new InteropServer(InteropServer.Options(suite, group, certificate), socket =>
        {
            InteropServer.AssertNegotiated(socket.Connection, suite, group, retried: false);
            string request = socket.ReadUntil("\r\n\r\n");
            int begun = request.Length - request.IndexOf("\r\n\r\n", StringComparison.Ordinal) - 4;
            Assert.Contains($"Content-Length: {files.Data.Length}\r\n", request, StringComparison.Ordinal);
            string body = request[^begun..] + Encoding.ASCII.GetString(socket.ReadExactly(files.Data.Length - begun));
            socket.Write(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}"));
            socket.Close();
            socket.WaitForPeersClose();
        });
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("curl"),
        [
            "--silent", "--show-error", "--tlsv1.3", "--tls13-ciphers", InteropCases.OpenSslSuite(suite), "--curves", InteropCases.OpenSslGroup(group),
            "--cacert", files.Root, "--http1.1", "--header", "Expect:", "--data-binary", "@" + files.DataFile,
            "--resolve", string.Create(CultureInfo.InvariantCulture, $"{InteropCases.ServerName}:{server.Port}:127.0.0.1"),
            string.Create(CultureInfo.InvariantCulture, $"https://{InteropCases.ServerName}:{server.Port}/"),
        ]);
        await server.Completion;
        Assert.Equal(files.Text, client.WaitForExit().EnsureSuccess().Output);
    }

    [Fact]
    public async Task Certificates_new_keys_retries_and_resumption_work_together()
    {
        var options = new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256))
        {
            Groups = [TlsNamedGroup.Secp384r1],
            TicketProtector = new TlsTicketKeyRing(),
            ClientAuthentication = new TlsClientAuthentication([TestCertificates.Root]),
        };
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task serving = Task.Run(() =>
        {
            foreach (bool resumed in (bool[])[false, true])
            {
                using TlsSocket socket = TlsSocket.Accept(listener, options);
                Assert.Equal((resumed, true), (socket.Connection.IsResumed, socket.Connection.WasRetried));
                Assert.Equal(InteropCases.Certificate("rsa").RawData, socket.Connection.RemoteCertificate!.RawData);
                socket.ReadUntil("\r\n\r\n");
                socket.Connection.UpdateKeys(requestPeer: true);
                // The answer to our KeyUpdate comes in front of what it sends next.
                socket.Write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\none\n"u8);
                socket.ReadUntil("\r\n\r\n");
                Assert.Equal((1u, 1u), (socket.Connection.KeyUpdatesSent, socket.Connection.KeyUpdatesReceived));
                socket.Write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ntwo\n"u8);
                socket.Close();
                socket.WaitForPeersClose();
            }
        }, TestContext.Current.CancellationToken);
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        string url = string.Create(CultureInfo.InvariantCulture, $"https://{InteropCases.ServerName}:{port}/");
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("curl"),
        [
            "--silent", "--show-error", "--tlsv1.3", "--curves", "X25519:P-384", "--cacert", files.Root, "--http1.1", "--cert", files.CertificateOf("rsa"),
            "--key", files.KeyOf("rsa"), "--resolve", string.Create(CultureInfo.InvariantCulture, $"{InteropCases.ServerName}:{port}:127.0.0.1"),
            url, url, url, url,
        ]);
        await serving;
        Assert.Equal("one\ntwo\none\ntwo\n", client.WaitForExit().EnsureSuccess().Output);
    }
}
