using System.Globalization;
using System.Text;
using CryptoPlane.TestKit;

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
}
