using System.Net.Security;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for the EncryptedExtensions: WAIT_EE of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectEncryptedExtensions(ClientOffer offer, HandshakeKeys keys) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.EncryptedExtensions)
            return base.OnMessage(context, message);
        if (EncryptedExtensionsMessage.Parse(message.Body, out ExtensionList extensions) is { } parseError)
            return parseError;
        foreach (ExtensionList.Extension extension in extensions)
        {
            if (OnExtension(context, extension) is { } error)
                return error;
        }
        context.ServerName = offer.Offers(ExtensionType.ServerName) ? offer.Options.ServerName : null;
        context.Transcript.Append(message.Whole);
        context.Enter(new ClientExpectCertificate(offer.Options, keys));
        return null;
    }

    public override void Dispose() => keys.Dispose();

    private TlsError? OnExtension(HandshakeContext context, ExtensionList.Extension extension)
    {
        if (!offer.Offers(extension.Type))
            return offer.Misplaced(extension.Type);
        switch (extension.Type)
        {
            case ExtensionType.ServerName:
                // RFC 6066 §3: "The "extension_data" field of this extension SHALL be empty."
                return extension.Data.IsEmpty ? null : TlsError.Decode("The server's server_name is not empty.");
            case ExtensionType.SupportedGroups:
                // RFC 8446 §4.2.7: what the server would prefer; of use to later connections only.
                return SupportedGroupsExtension.TryParse(extension.Data, out _) ? null : TlsError.Decode("The server's supported_groups are malformed.");
            case ExtensionType.ApplicationProtocols:
                return OnProtocol(context, extension.Data);
            default:
                return offer.Misplaced(extension.Type);
        }
    }

    private TlsError? OnProtocol(HandshakeContext context, ReadOnlySpan<byte> data)
    {
        if (!ApplicationProtocolsExtension.TryParseSelected(data, out ReadOnlySpan<byte> name))
            return TlsError.Decode("The server's application protocol is malformed.");
        foreach (SslApplicationProtocol protocol in offer.Options.ApplicationProtocols)
        {
            if (name.SequenceEqual(protocol.Protocol.Span))
            {
                context.ApplicationProtocol = protocol;
                return null;
            }
        }
        return TlsError.Illegal("The server selected an application protocol that the client did not offer.");
    }
}
