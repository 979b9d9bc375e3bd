using CryptoPlane.Tls.Handshake.Server;

namespace CryptoPlane.Tls;

/// <summary>The server's side of a connection.</summary>
/// <inheritdoc cref="TlsConnection" path="/remarks"/>
public sealed class TlsServer : TlsConnection
{
    /// <summary>Makes a connection that waits for a ClientHello.</summary>
    public TlsServer(TlsServerOptions options)
        : base(options) => Context.Enter(new ServerExpectClientHello(options));
}
