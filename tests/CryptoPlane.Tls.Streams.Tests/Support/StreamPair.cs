using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Tls.Tests.Support;

namespace CryptoPlane.Tls.Streams.Tests.Support;

/// <summary>The two ends of a TCP connection on the loopback interface, and TLS over them.</summary>
internal sealed class StreamPair : IAsyncDisposable
{
    private StreamPair(Stream client, Stream server)
    {
        Client = client;
        Server = server;
    }

    /// <summary>The client's end: TCP's, or TLS's.</summary>
    public Stream Client { get; }

    /// <summary>The server's end.</summary>
    public Stream Server { get; }

    public CryptoPlaneSslStream OurClient => (CryptoPlaneSslStream)Client;

    public CryptoPlaneSslStream OurServer => (CryptoPlaneSslStream)Server;

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TlsClientOptions ClientOptions => new(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root] };

    public static TlsServerOptions ServerOptions => new(new TlsCredential(TestCertificates.EcdsaP256));

    /// <summary>TCP alone.</summary>
    public static async Task<StreamPair> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await client.ConnectAsync(listener.LocalEndpoint, Token);
        Socket server = await listener.AcceptSocketAsync(Token);
        server.NoDelay = true;
        return new StreamPair(new NetworkStream(client, ownsSocket: true), new NetworkStream(server, ownsSocket: true));
    }

    /// <summary>Our streams on both ends, authenticated.</summary>
    public static async Task<StreamPair> OursAsync(TlsClientOptions? clientOptions = null, TlsServerOptions? serverOptions = null)
    {
        StreamPair tcp = await ConnectAsync();
        var client = new CryptoPlaneSslStream(tcp.Client);
        var server = new CryptoPlaneSslStream(tcp.Server);
        await Task.WhenAll(
            client.AuthenticateAsClientAsync(clientOptions ?? ClientOptions, Token),
            server.AuthenticateAsServerAsync(serverOptions ?? ServerOptions, Token));
        return new StreamPair(client, server);
    }

    /// <summary>Our stream on one end and the framework's on the other.</summary>
    public static async Task<StreamPair> WithSslStreamAsync(bool oursIsServer, TlsCipherSuite suite)
    {
        StreamPair tcp = await ConnectAsync();
        if (oursIsServer)
        {
            var client = new SslStream(tcp.Client);
            var server = new CryptoPlaneSslStream(tcp.Server);
            await Task.WhenAll(
                client.AuthenticateAsClientAsync(FrameworkClientOptions, Token),
                server.AuthenticateAsServerAsync(new TlsServerOptions(new TlsCredential(TestCertificates.EcdsaP256)) { CipherSuites = [suite] }, Token));
            return new StreamPair(client, server);
        }
        else
        {
            var client = new CryptoPlaneSslStream(tcp.Client);
            var server = new SslStream(tcp.Server);
            await Task.WhenAll(
                client.AuthenticateAsClientAsync(new TlsClientOptions(TestCertificates.ServerName) { TrustedRoots = [TestCertificates.Root], CipherSuites = [suite] }, Token),
                server.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = TestCertificates.EcdsaP256 }, Token));
            return new StreamPair(client, server);
        }
    }

    /// <summary>What the framework's client needs to trust the test's root.</summary>
    public static SslClientAuthenticationOptions FrameworkClientOptions
    {
        get
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.Add(TestCertificates.Root);
            return new SslClientAuthenticationOptions { TargetHost = TestCertificates.ServerName, CertificateChainPolicy = policy };
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Server.DisposeAsync();
    }
}
