using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
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

    public static readonly TlsServerOptions ServerOptions = new(new TlsCredential(TestCertificates.EcdsaP256))
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
        all[HandshakeType.CertificateRequest] = ScriptedPeer.Build(writer => CertificateRequestMessage.Write(
            writer, [9, 9], [TlsSignatureScheme.EcdsaSecp256r1Sha256, TlsSignatureScheme.Ed25519], [TestCertificates.Root.SubjectName.RawData, [0x30, 0]],
            oidFilters: OidFiltersExtension.Encode(X509KeyUsageFlags.DigitalSignature, [new Oid("1.3.6.1.5.5.7.3.2")])));
        return all;
    }
}
