using System.Net.Security;
using CryptoPlane.Tls.Record;
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
        if (AnswerEarlyData(context, extensions.Contains(ExtensionType.EarlyData)) is { } earlyError)
            return earlyError;
        context.ServerName = offer.Offers(ExtensionType.ServerName) ? offer.Options.ServerName : null;
        context.Transcript.Append(message.Whole);
        if (!context.UsesPreSharedKey)
        {
            context.Enter(new ClientExpectCertificate(offer.Options, keys));
            return null;
        }
        // RFC 8446 §2.2: the server is who it was, since nobody else has the ticket's key; its certificate is the session's. With a key
        // from elsewhere there is no certificate: to have the key is to be the server.
        if (offer.Keys[context.SelectedIdentity].Session is { CertificateData.IsEmpty: false } session)
            context.RemoteCertificate.Set(session.CertificateData);
        context.Enter(new ClientExpectFinished(offer.Options, keys, answer: null));
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
            case ExtensionType.EarlyData:
                return extension.Data.IsEmpty ? null : TlsError.Decode("The server's early_data is not empty.");
            case ExtensionType.RecordSizeLimit:
                return OnRecordSizeLimit(context, extension.Data);
            default:
                return offer.Misplaced(extension.Type);
        }
    }

    private TlsError? AnswerEarlyData(HandshakeContext context, bool accepts)
    {
        if (offer.EarlyDataSession is not { } session)
            return null;
        if (!accepts)
        {
            context.RejectEarlyData();
            context.ChangeWriteKeys(keys.Client);
            return null;
        }
        // RFC 8446 §4.2.10: "If the server supplies an "early_data" extension …, the client MUST verify that the server's selected_identity is
        // 0. If any other value is returned, the client MUST abort the handshake with an "illegal_parameter" alert." And suite and protocol
        // are "those which were negotiated in the connection which established the PSK".
        if (context.SelectedIdentity != 0 || context.CipherSuite != session.CipherSuite || context.ApplicationProtocol != session.ApplicationProtocol)
            return TlsError.Illegal("The server takes early data, and another key, suite or application protocol than the session's.");
        context.EarlyDataStatus = TlsEarlyDataStatus.Accepted;
        return null;
    }

    private static TlsError? OnRecordSizeLimit(HandshakeContext context, ReadOnlySpan<byte> data)
    {
        if (!RecordSizeLimitExtension.TryParse(data, out int limit))
            return TlsError.Decode("The server's record_size_limit is malformed.");
        // RFC 8449 §4: smaller than 64 "MUST" be answered with illegal_parameter; larger than the protocol's maximum "MAY".
        if (limit is < RecordSizeLimitExtension.Minimum or > TlsRecordSizes.MaxInnerPlaintext)
            return TlsError.Illegal("The server's record_size_limit is out of bounds.");
        context.PeerSizeLimit = limit;
        context.LimitRecords(presentKeys: true);
        return null;
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
