using System.Globalization;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Keys from elsewhere with OpenSSL and GnuTLS, on either side.</summary>
public sealed class PreSharedKeyInteropTests(InteropFiles files) : IClassFixture<InteropFiles>, IDisposable
{
    private const string Identity = "client-7", Hex = "00112233445566778899aabbccddeeff0123456789abcdef0123456789abcdef";

    private const string GnuTlsPriority = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:-KX-ALL:+ECDHE-PSK:+DHE-PSK";

    private readonly TlsPreSharedKey _key = new(Encoding.ASCII.GetBytes(Identity), Convert.FromHexString(Hex));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OpenSsls_client_is_let_in_by_its_key(bool retry)
    {
        using var server = new InteropServer(Server(), Greet);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("openssl"),
            ["s_client", "-connect", $"127.0.0.1:{server.Port}", "-tls1_3", "-groups", retry ? "P-384:X25519" : "X25519", "-psk", Hex, "-psk_identity", Identity]);
        client.Write("hello\n");
        client.WaitForOutput("welcome");
        await server.Completion;
        client.CloseInput();
        client.WaitForExit();
    }

    [Fact]
    public async Task GnuTls_client_is_let_in_by_its_key()
    {
        using var server = new InteropServer(Server(), Greet);
        using ExternalProgram client = ExternalProgram.Start(Requirement.Program("gnutls-cli", "gnutls-bin"),
        [
            "--port", server.Port.ToString(CultureInfo.InvariantCulture), "--priority", GnuTlsPriority, "--pskusername", Identity, "--pskkey", Hex, "127.0.0.1",
        ]);
        client.Write("hello\n");
        client.WaitForOutput("welcome");
        await server.Completion;
        client.CloseInput();
        client.WaitForExit();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OpenSsls_server_takes_our_key(bool retry)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("openssl"),
            ["s_server", "-accept", $"127.0.0.1:{port}", "-naccept", "1", "-tls1_3", "-groups", "P-256", "-nocert", "-psk", Hex, "-psk_identity", Identity, "-rev"]);
        Converse(port, retry ? [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1] : [TlsNamedGroup.Secp256r1], retry, "olleh");
    }

    [Fact]
    public void GnuTls_server_takes_our_key()
    {
        int port = FreePort.Tcp();
        string passwords = files.NewFile();
        File.WriteAllText(passwords, $"{Identity}:{Hex}\n");
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
            ["--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--quiet", "--priority", GnuTlsPriority, "--pskpasswd", passwords]);
        Converse(port, [TlsNamedGroup.Secp256r1], retried: false, "hello");
    }

    public void Dispose() => _key.Dispose();

    private void Converse(int port, TlsNamedGroup[] groups, bool retried, string answer)
    {
        var options = new TlsClientOptions(InteropCases.ServerName) { Groups = groups, PreSharedKeys = [_key] };
        using TlsSocket socket = TlsSocket.Connect(port, options);
        Assert.Equal(Identity, Encoding.ASCII.GetString(socket.Connection.PreSharedKeyIdentity));
        Assert.Equal(retried, socket.Connection.WasRetried);
        Assert.Null(socket.Connection.RemoteCertificate);
        socket.Write("hello\n"u8);
        socket.ReadUntil(answer);
        socket.Close();
    }

    private TlsServerOptions Server() => new(new KeyTable(_key)) { Groups = [TlsNamedGroup.X25519, TlsNamedGroup.Secp256r1] };

    private static void Greet(TlsSocket socket)
    {
        Assert.Equal(Identity, Encoding.ASCII.GetString(socket.Connection.PreSharedKeyIdentity));
        socket.ReadUntil("hello\n");
        socket.Write("welcome\n"u8);
        socket.Close();
    }
}
