using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Tests.Documentation;

/// <summary>README.md's TLS example, against the framework's client over a real socket.</summary>
public sealed class ReadmeTlsExample
{
    [Fact]
    public async Task A_server_over_any_stream_completes_a_handshake()
    {
        X509Certificate2 certificate = TestCertificates.EcdsaP256;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task<string> client = ClientAsync((IPEndPoint)listener.LocalEndpoint, certificate);
        using TcpClient accepted = await listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        Serve(accepted.GetStream(), certificate);
        Assert.Equal("Tls13, hello", await client);
    }

    private static void Serve(Stream stream, X509Certificate2 certificate)
    {
        #region tls
        using var server = new TlsServer(new TlsServerOptions(new TlsCredential(certificate)));
        byte[] received = new byte[TlsConnection.MaxRecordSize], output = new byte[16 * 1024];
        int count = 0;
        while (!server.IsHandshakeComplete)
        {
            TlsStatus status = server.Handshake(received.AsSpan(0, count), output, out int consumed, out int written);
            stream.Write(output, 0, written);
            received.AsSpan(consumed, count - consumed).CopyTo(received);
            count -= consumed;
            if (status == TlsStatus.NeedMoreData)
                count += stream.ReadAtLeast(received.AsSpan(count), 1);
            else if (status == TlsStatus.Failed)
                throw new IOException($"The handshake failed: {server.Error}");
            else
                server.PendingWork?.Execute();                   // public-key work: on whichever thread you like
        }
        server.Write("hello"u8, output, out _, out int length);
        stream.Write(output, 0, length);
        #endregion
    }

    private static async Task<string> ClientAsync(IPEndPoint server, X509Certificate2 expected)
    {
        using var connection = new TcpClient();
        await connection.ConnectAsync(server);
        await using var stream = new SslStream(connection.GetStream(), leaveInnerStreamOpen: false,
            (_, certificate, _, _) => certificate!.GetCertHashString() == expected.GetCertHashString());
        await stream.AuthenticateAsClientAsync("localhost");
        byte[] text = new byte[5];
        await stream.ReadExactlyAsync(text);
        return $"{stream.SslProtocol}, {System.Text.Encoding.ASCII.GetString(text)}";
    }
}
