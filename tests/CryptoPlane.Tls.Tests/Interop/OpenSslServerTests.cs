using System.Globalization;
using System.Net.Security;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our client against <c>openssl s_server</c>, which sends session tickets behind the handshake.</summary>
public sealed class OpenSslServerTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Data_arrives_whole_and_both_sides_close(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        Exchange(suite, group, certificate, retried: false, group);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_HelloRetryRequest_is_followed(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        Exchange(suite, group, certificate, retried: true, InteropCases.Other(group), group);

    [Theory]
    [InlineData(TlsCipherSuite.Aes128GcmSha256)]
    [InlineData(TlsCipherSuite.Aes256GcmSha384)]
    [InlineData(TlsCipherSuite.ChaCha20Poly1305Sha256)]
    public void Keys_are_updated_by_either_side(TlsCipherSuite suite)
    {
        using ExternalProgram server = Start(suite, "X25519", "p256", out int port);
        using TlsSocket socket = TlsSocket.Connect(port, Options(suite, TlsNamedGroup.X25519));
        socket.Write("client is here\n"u8);
        server.WaitForOutput("client is here");
        Command(server, socket, "k");
        server.Write("server updated alone\n");
        socket.ReadUntil("server updated alone");
        Assert.Equal(1u, socket.Connection.KeyUpdatesReceived);
        Assert.Equal(0u, socket.Connection.KeyUpdatesSent);
        socket.Write("client saw it\n"u8);
        server.WaitForOutput("client saw it");

        Command(server, socket, "K");
        server.Write("server asked\n");
        socket.ReadUntil("server asked");
        Assert.Equal(2u, socket.Connection.KeyUpdatesReceived);
        socket.Write("client updated\n"u8);
        Assert.Equal(1u, socket.Connection.KeyUpdatesSent);
        server.WaitForOutput("client updated");

        socket.Connection.UpdateKeys(requestPeer: true);
        socket.Write("client asked\n"u8);
        server.WaitForOutput("client asked");
        server.Write("server answers\n");
        socket.ReadUntil("server answers");
        Assert.Equal(3u, socket.Connection.KeyUpdatesReceived);
        Assert.Equal(2u, socket.Connection.KeyUpdatesSent);
    }

    [Fact]
    public void Both_sides_export_the_same_keying_material()
    {
        using ExternalProgram server = Start(TlsCipherSuite.Aes256GcmSha384, "P-384", "p384", out int port, "-keymatexport", "EXPORTER-cryptoplane", "-keymatexportlen", "40");
        using TlsSocket socket = TlsSocket.Connect(port, Options(TlsCipherSuite.Aes256GcmSha384, TlsNamedGroup.Secp384r1));
        byte[] exported = new byte[40];
        socket.Connection.ExportKeyingMaterial("EXPORTER-cryptoplane", [], exported);
        server.WaitForOutput("Keying material: " + Convert.ToHexString(exported));
    }

    [Theory]
    [InlineData("wrong.example", TlsAlert.CertificateUnknown, "alert certificate unknown")]
    public void A_certificate_for_another_name_is_refused(string name, TlsAlert alert, string openSslText)
    {
        using ExternalProgram server = Start(TlsCipherSuite.Aes128GcmSha256, "X25519", "p256", out int port);
        var options = new TlsClientOptions(name) { TrustedRoots = [TestCertificates.Root] };
        InvalidOperationException refusal = Assert.Throws<InvalidOperationException>(() => TlsSocket.Connect(port, options));
        Assert.Contains(alert.ToString(), refusal.Message, StringComparison.Ordinal);
        server.WaitForOutput(openSslText);
    }

    private void Exchange(TlsCipherSuite suite, TlsNamedGroup group, string certificate, bool retried, params TlsNamedGroup[] offered)
    {
        using ExternalProgram server = Start(suite, InteropCases.OpenSslGroup(group), certificate, out int port, "-quiet");
        using TlsSocket socket = TlsSocket.Connect(port, Options(suite, offered));
        InteropServer.AssertNegotiated(socket.Connection, suite, group, retried);
        socket.Write(files.Data);
        Eventually.True(() => server.Output.Length >= files.Data.Length, "s_server to print what it got", TimeSpan.FromSeconds(60));
        server.Write(files.Text);
        Assert.Equal(files.Text, Encoding.ASCII.GetString(socket.ReadExactly(files.Data.Length)));
        // s_server closes its side when its input ends.
        server.CloseInput();
        socket.WaitForPeersClose();
        socket.Close();
        Assert.Equal(files.Text, server.WaitForExit().Output);
    }

    /// <summary>
    /// Gives s_server a command, which must be a read of its own. It says nothing then, but it looks at its input before it looks at the
    /// connection: once it prints what was sent behind the command, it has seen the command.
    /// </summary>
    private static void Command(ExternalProgram server, TlsSocket socket, string command)
    {
        server.Write(command + "\n");
        string mark = $"behind the command {command}";
        socket.Write(Encoding.ASCII.GetBytes(mark + "\n"));
        server.WaitForOutput(mark);
    }

    private static TlsClientOptions Options(TlsCipherSuite suite, params TlsNamedGroup[] groups) => new(InteropCases.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        CipherSuites = [suite],
        Groups = groups,
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    private ExternalProgram Start(TlsCipherSuite suite, string groups, string certificate, out int port, params string[] more)
    {
        port = FreePort.Tcp();
        return ExternalProgram.Start(Requirement.Program("openssl"),
        [
            "s_server", "-accept", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"), "-naccept", "1", "-tls1_3",
            "-ciphersuites", InteropCases.OpenSslSuite(suite), "-groups", groups, "-cert", files.CertificateOf(certificate),
            "-key", files.KeyOf(certificate), "-alpn", "http/1.1", .. more,
        ]);
    }
}
