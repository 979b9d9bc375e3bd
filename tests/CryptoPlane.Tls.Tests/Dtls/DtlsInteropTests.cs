using CryptoPlane.TestKit;
using CryptoPlane.Tls.Dtls;

namespace CryptoPlane.Tls.Tests.Dtls;

/// <summary>Our server against the DTLS clients of OpenSSL and GnuTLS; openconnect's is the latter.</summary>
public sealed class DtlsInteropTests
{
    private static string PskInHex => Convert.ToHexStringLower(DtlsTestClient.Psk);

    [Theory]
    [InlineData(DtlsCipherSuite.PskAes128GcmSha256, "PSK-AES128-GCM-SHA256")]
    [InlineData(DtlsCipherSuite.PskAes256GcmSha384, "PSK-AES256-GCM-SHA384")]
    [InlineData(DtlsCipherSuite.PskChaCha20Poly1305Sha256, "PSK-CHACHA20-POLY1305")]
    public void Openssl_talks_and_closes(DtlsCipherSuite suite, string name)
    {
        using var server = new DtlsEchoServer();
        using var client = ExternalProgram.Start(Requirement.Program("openssl"),
            ["s_client", "-dtls1_2", "-connect", $"127.0.0.1:{server.Port}", "-psk", PskInHex, "-psk_identity", "psk", "-cipher", name]);
        // s_client shows what it is sent, not what it sends.
        client.WaitForOutput("Extended master secret: yes");
        client.Write("hello from openssl\n");
        client.WaitForOutput("hello from openssl");
        Assert.Equal(suite, server.Suite);
        Assert.True(server.UsesExtendedMasterSecret);
        client.Write("Q\n");
        client.WaitForExit();
    }

    [Theory]
    [InlineData(DtlsCipherSuite.PskAes128GcmSha256, "AES-128-GCM")]
    [InlineData(DtlsCipherSuite.PskAes256GcmSha384, "AES-256-GCM")]
    [InlineData(DtlsCipherSuite.PskChaCha20Poly1305Sha256, "CHACHA20-POLY1305")]
    public void Gnutls_talks_and_closes(DtlsCipherSuite suite, string cipher)
    {
        using var server = new DtlsEchoServer();
        using var client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
            ["--udp", "--pskusername", "psk", "--pskkey", PskInHex, "--priority", $"NORMAL:-VERS-ALL:+VERS-DTLS1.2:-KX-ALL:+PSK:-CIPHER-ALL:+{cipher}",
                "--port", $"{server.Port}", "127.0.0.1"]);
        client.WaitForOutput("Handshake was completed");
        client.Write("hello from gnutls\n");
        client.WaitForOutput("hello from gnutls");
        Assert.Equal(suite, server.Suite);
        Assert.True(server.UsesExtendedMasterSecret);
        client.CloseInput();
        client.WaitForExit();
        Eventually.True(() => server.IsClosed, "close_notify");
    }
}
