using System.Globalization;
using System.Text;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our server against Chromium, which has X25519MLKEM768 and sends shares of it and of X25519.</summary>
public sealed class ChromiumTests
{
    [Theory]
    [InlineData(TlsNamedGroup.X25519MLKem768)]
    [InlineData(TlsNamedGroup.X25519)]
    [InlineData(TlsNamedGroup.Secp256r1)]
    public async Task A_page_is_shown(TlsNamedGroup group)
    {
        const string Page = "<html><head><link rel=icon href='data:,'></head><body>Hello, Chromium</body></html>";
        string browser = Requirement.Program("chromium");
        string profile = Directory.CreateTempSubdirectory("cp-chromium-").FullName;
        try
        {
            // With one certificate, and no list of protocols but HTTP/1.1; the group alone is what the case is about.
            using var server = new InteropServer(InteropServer.Options(TlsCipherSuite.Aes128GcmSha256, group, "p256"), socket =>
            {
                // Chromium sends no share of P-256 unless it is asked to.
                InteropServer.AssertNegotiated(socket.Connection, TlsCipherSuite.Aes128GcmSha256, group, retried: group == TlsNamedGroup.Secp256r1);
                // A certificate of a few hundred bytes is shorter by brotli all the same.
                Assert.Equal(TlsCertificateCompression.Brotli, socket.Connection.CertificateCompression);
                Assert.StartsWith("GET / HTTP/1.1\r\n", socket.ReadUntil("\r\n\r\n"), StringComparison.Ordinal);
                socket.Write(Encoding.ASCII.GetBytes(
                    $"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/html\r\nContent-Length: {Page.Length}\r\n\r\n{Page}"));
                // Chromium hangs up on a close_notify without one of its own.
                socket.Close();
            });
            using ExternalProgram client = ExternalProgram.Start(browser,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                "--ignore-certificate-errors", $"--user-data-dir={profile}", "--dump-dom",
                string.Create(CultureInfo.InvariantCulture, $"--host-resolver-rules=MAP {InteropCases.ServerName} 127.0.0.1:{server.Port}"),
                $"https://{InteropCases.ServerName}/",
            ]);
            await server.Completion;
            Assert.Contains("Hello, Chromium", client.WaitForExit().EnsureSuccess().Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(profile, recursive: true);
        }
    }
}
