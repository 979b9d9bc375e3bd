using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>A client and a server SslStream joined in memory, TLS 1.3 with one cipher suite, past the handshake.</summary>
internal sealed class SslStreamConnection : IDisposable
{
    // Room for everything that one run writes before it is read.
    private const int ChannelCapacity = 4 << 20;

    private readonly X509Certificate2 _certificate = CreateCertificate();

    public SslStreamConnection(TlsCipherSuite suite)
    {
        MemoryChannel up = new(ChannelCapacity), down = new(ChannelCapacity);
        Client = new SslStream(new MemoryStreamEnd(down, up));
        Server = new SslStream(new MemoryStreamEnd(up, down));
        var policy = new CipherSuitesPolicy([suite]);
        var server = Task.Run(() => Server.AuthenticateAsServer(new SslServerAuthenticationOptions
        {
            ServerCertificate = _certificate,
            EnabledSslProtocols = SslProtocols.Tls13,
            CipherSuitesPolicy = policy,
        }));
        Client.AuthenticateAsClient(new SslClientAuthenticationOptions
        {
            TargetHost = "benchmark",
            EnabledSslProtocols = SslProtocols.Tls13,
            CipherSuitesPolicy = policy,
            // The benchmark's own certificate, on a connection that never leaves this process.
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate!.GetCertHashString() == _certificate.GetCertHashString(),
        });
        server.GetAwaiter().GetResult();
        if (Client.NegotiatedCipherSuite != suite)
            throw new InvalidOperationException($"SslStream negotiated {Client.NegotiatedCipherSuite}.");
        up.IsSingleThreaded = down.IsSingleThreaded = true;
    }

    public SslStream Client { get; }

    public SslStream Server { get; }

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _certificate.Dispose();
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=benchmark", key, HashAlgorithmName.SHA256);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
