using System.Net.Security;
using CryptoPlane.Tls.Tests.Support;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Tests.Malformed;

/// <summary>A good message of every kind, out of real handshakes, with every extension that is built.</summary>
internal static class SampleMessages
{
    private static readonly Lazy<Dictionary<HandshakeType, byte[]>> s_all = new(Make);

    public static byte[] Get(HandshakeType type) => [.. s_all.Value[type]];

    public static readonly TlsClientOptions ClientOptions = new(TestCertificates.ServerName)
    {
        TrustedRoots = [TestCertificates.Root],
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
    };

    public static readonly TlsServerOptions ServerOptions = new(new TlsServerCertificate(TestCertificates.EcdsaP256))
    {
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };

    private static Dictionary<HandshakeType, byte[]> Make()
    {
        using var client = new ScriptedClient(ClientOptions);
        using var server = new TlsServer(ServerOptions);
        byte[] hello = client.Hello().ToMessage();
        client.Send(hello);
        ScriptedPeer.Drive(server, client.Take(), out byte[] flight);
        client.TakeFlight(flight);
        Dictionary<HandshakeType, byte[]> all = client.Received.ToDictionary(message => (HandshakeType)message[0]);
        all[HandshakeType.ClientHello] = hello;
        // request context, and extensions with signature_algorithms and certificate_authorities (RFC 8446 §4.3.2)
        all[HandshakeType.CertificateRequest] =
            ScriptedPeer.Build(HandshakeType.CertificateRequest, [2, 9, 9, 0, 18, 0, 13, 0, 6, 0, 4, 4, 3, 8, 4, 0, 47, 0, 4, 0, 2, 0, 0]);
        return all;
    }
}
