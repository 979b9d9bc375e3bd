using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Handshake.Client;

namespace CryptoPlane.Tls;

/// <summary>The client's side of a connection.</summary>
/// <inheritdoc cref="TlsConnection" path="/remarks"/>
public sealed class TlsClient : TlsConnection
{
    /// <summary>Makes a connection that is about to generate its key pair and to send a ClientHello.</summary>
    public TlsClient(TlsClientOptions options)
        : base(options)
    {
        TlsNamedGroup group = options.Groups[0];
        // RFC 8446 §5: change_cipher_spec is tolerated once the ClientHello is sent, and a server says nothing before that.
        Context.IsHelloDone = true;
        Context.Await(new InitiatorKeyGeneration(group, group.KeyExchange()!), new ClientSendHello(new ClientOffer(options)));
    }
}
