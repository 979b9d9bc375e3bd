using System.Globalization;
using System.Net.Security;
using System.Text;
using CryptoPlane.TestKit;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Interop;

/// <summary>Our client against <c>gnutls-serv</c> as an echo server.</summary>
public sealed class GnuTlsServerTests(InteropFiles files) : IClassFixture<InteropFiles>
{
    public static TheoryData<TlsCipherSuite, TlsNamedGroup, string> Cases => InteropCases.All();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Data_comes_back_whole(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        Exchange(suite, group, certificate, retried: false, group);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_HelloRetryRequest_is_followed(TlsCipherSuite suite, TlsNamedGroup group, string certificate) =>
        Exchange(suite, group, certificate, retried: true, InteropCases.Other(group), group);

    [Fact]
    public void Records_are_no_longer_than_we_want()
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--quiet", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            "--x509certfile", files.CertificateOf("p256"), "--x509keyfile", files.KeyOf("p256"),
        ]);
        // GnuTLS passes over limits below 512, which constrained devices have.
        using TlsSocket socket = TlsSocket.Connect(port, new TlsClientOptions(InteropCases.ServerName) { TrustedRoots = [TestCertificates.Root], RecordSizeLimit = 601 });
        byte[] data = files.Data[..650];
        socket.Write(data);
        byte[] first = socket.Read();
        Assert.InRange(first.Length, 1, 600);
        byte[] rest = socket.ReadExactly(data.Length - first.Length);
        Assert.Equal(data, (byte[])[.. first, .. rest]);
        socket.Close();
    }

    private void Exchange(TlsCipherSuite suite, TlsNamedGroup group, string certificate, bool retried, params TlsNamedGroup[] offered)
    {
        int port = FreePort.Tcp();
        using ExternalProgram server = ExternalProgram.Start(Requirement.Program("gnutls-serv", "gnutls-bin"),
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--echo", "--quiet", "--priority", InteropCases.GnuTlsPriority(suite, group),
            "--x509certfile", files.CertificateOf(certificate), "--x509keyfile", files.KeyOf(certificate), "--alpn", "http/1.1",
        ]);
        var options = new TlsClientOptions(InteropCases.ServerName)
        {
            TrustedRoots = [TestCertificates.Root],
            CipherSuites = [suite],
            Groups = offered,
            ApplicationProtocols = [SslApplicationProtocol.Http11],
        };
        using TlsSocket socket = TlsSocket.Connect(port, options);
        InteropServer.AssertNegotiated(socket.Connection, suite, group, retried);

        // The echo server answers what one read of it gave, so that large writes could fill both directions: piece by piece.
        var back = new StringBuilder();
        for (int start = 0; start < files.Data.Length; start += 4000)
        {
            byte[] piece = files.Data.AsSpan(start, Math.Min(4000, files.Data.Length - start)).ToArray();
            if (start == 40_000)
                socket.Connection.UpdateKeys(requestPeer: true);
            socket.Write(piece);
            back.Append(Encoding.ASCII.GetString(socket.ReadExactly(piece.Length)));
        }
        Assert.Equal(files.Text, back.ToString());
        Assert.Equal(1u, socket.Connection.KeyUpdatesSent);
        Assert.Equal(1u, socket.Connection.KeyUpdatesReceived);
        socket.Close();
    }
}
