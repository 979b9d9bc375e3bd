using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>The client waits for a ServerHello or a HelloRetryRequest: WAIT_SH of RFC 8446 §A.1.</summary>
internal sealed class ClientExpectServerHello(ClientOffer offer, ClientKeyShares shares) : HandshakeState
{
    public override TlsError? OnMessage(HandshakeContext context, HandshakeMessage message)
    {
        if (message.Type != HandshakeType.ServerHello)
            return base.OnMessage(context, message);
        if (ServerHello.Parse(message.Body, out ServerHello hello) is { } error)
            return error;
        if ((CheckVersion(hello) ?? CheckFields(hello) ?? CheckExtensions(hello) ?? context.CheckKeyChangeBoundary()) is { } helloError)
            return helloError;
        return hello.IsHelloRetryRequest ? OnRetryRequest(context, hello, message) : OnServerHello(context, hello, message);
    }

    public override void Dispose() => shares.Dispose();

    private static TlsError? CheckVersion(ServerHello hello)
    {
        if (!hello.Extensions.TryGet(ExtensionType.SupportedVersions, out ReadOnlySpan<byte> data))
        {
            // RFC 8446 §4.1.3: a client that gets an older version "MUST check that the last 8 bytes are not equal to either of these
            // values", and abort with illegal_parameter if they are: somebody in the middle has led both sides there.
            return hello.HasDowngradeSentinel
                ? TlsError.Illegal("The server was led to a version older than TLS 1.3, which it speaks.")
                : TlsError.Incompatible(TlsAlert.ProtocolVersion, "The server does not speak TLS 1.3.");
        }
        if (!SupportedVersionsExtension.TryParseSelected(data, out ushort version))
            return TlsError.Decode("The server's supported_versions is malformed.");
        // RFC 8446 §4.2.1: a version that was not offered, or is older than TLS 1.3. §4.1.3: legacy_version is 0x0303 next to it.
        return version == ProtocolVersions.Tls13 && hello.LegacyVersion == ProtocolVersions.Legacy
            ? null
            : TlsError.Illegal("The server selected a version that the client did not offer.");
    }

    private TlsError? CheckFields(ServerHello hello)
    {
        // RFC 8446 §4.1.3: each of these with illegal_parameter.
        if (!hello.SessionIdEcho.SequenceEqual(offer.SessionId))
            return TlsError.Illegal("The server did not echo the session ID.");
        if (hello.CompressionMethod != 0)
            return TlsError.Illegal("The server selected compression.");
        return offer.Options.CipherSuites.Contains((TlsCipherSuite)hello.CipherSuite)
            ? null
            : TlsError.Illegal("The server selected a cipher suite that the client did not offer.");
    }

    private TlsError? CheckExtensions(ServerHello hello)
    {
        foreach (ExtensionList.Extension extension in hello.Extensions)
        {
            bool hasPlace = extension.Type is ExtensionType.SupportedVersions or ExtensionType.KeyShare
                // RFC 8446 §4.2: the cookie is the one extension that comes without having been offered.
                || (extension.Type == ExtensionType.Cookie && hello.IsHelloRetryRequest)
                || (extension.Type == ExtensionType.PreSharedKey && !hello.IsHelloRetryRequest && offer.Offers(ExtensionType.PreSharedKey));
            if (!hasPlace)
                return offer.Misplaced(extension.Type);
        }
        return null;
    }

    private TlsError? OnRetryRequest(HandshakeContext context, ServerHello hello, HandshakeMessage message)
    {
        // RFC 8446 §4.1.4: "If a client receives a second HelloRetryRequest in the same connection …, it MUST abort the handshake with
        // an "unexpected_message" alert."
        if (context.WasRetried)
            return TlsError.Unexpected("The server sent a second HelloRetryRequest.");
        TlsNamedGroup asked = TlsNamedGroup.None;
        if (hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> shareData))
        {
            if (!KeyShareExtension.TryParseRetry(shareData, out asked))
                return TlsError.Decode("The HelloRetryRequest's key_share is malformed.");
            // RFC 8446 §4.2.8: a group that was offered, and whose share was not sent already.
            if (!offer.Options.Groups.Contains(asked) || shares.Has(asked))
                return TlsError.Illegal("The HelloRetryRequest asks for a group that was not offered, or whose share it has.");
        }
        if (hello.Extensions.TryGet(ExtensionType.Cookie, out ReadOnlySpan<byte> cookieData))
        {
            if (!CookieExtension.TryParse(cookieData, out ReadOnlySpan<byte> cookie))
                return TlsError.Decode("The HelloRetryRequest's cookie is malformed.");
            offer.Cookie = cookie.ToArray();
        }
        // RFC 8446 §4.1.4: "Clients MUST abort the handshake with an "illegal_parameter" alert if the HelloRetryRequest would not result
        // in any change in the ClientHello."
        if (asked == TlsNamedGroup.None && offer.Cookie.Length == 0)
            return TlsError.Illegal("The HelloRetryRequest asks for nothing.");

        // RFC 8446 §4.2.10: a server that asks to retry rejects early data.
        if (context.IsEarlyDataOpen)
            context.RejectEarlyData();
        offer.DropEarlyData();
        context.WasRetried = true;
        context.CipherSuite = (TlsCipherSuite)hello.CipherSuite;
        context.Transcript.Select(CipherSuiteParameters.Of(context.CipherSuite).Hash);
        context.Transcript.ReplaceWithMessageHash();
        context.Transcript.Append(message.Whole);
        offer.KeepKeysOf(context.CipherSuite);
        if (asked == TlsNamedGroup.None)
        {
            ClientSendHello.Send(context, offer, shares);
            return null;
        }
        shares.Dispose();
        context.Await(new InitiatorKeyGeneration([asked]), new ClientSendHello(offer));
        return null;
    }

    private TlsError? OnServerHello(HandshakeContext context, ServerHello hello, HandshakeMessage message)
    {
        // RFC 8446 §4.1.4: "the client … MUST check that the cipher suite supplied in the ServerHello is the same as that in the HelloRetryRequest".
        if (context.WasRetried && (TlsCipherSuite)hello.CipherSuite != context.CipherSuite)
            return TlsError.Illegal("The ServerHello's cipher suite is not the HelloRetryRequest's.");
        if (!hello.Extensions.TryGet(ExtensionType.KeyShare, out ReadOnlySpan<byte> data))
            return TlsError.Misbehaved(TlsAlert.MissingExtension, "The ServerHello has no key_share.");
        if (!KeyShareExtension.TryParseServer(data, out TlsNamedGroup selected, out ReadOnlySpan<byte> share))
            return TlsError.Decode("The server's key_share is malformed.");
        if (!shares.Has(selected))
            return TlsError.Illegal("The server's key share is not of a group that the client sent one of.");

        context.CipherSuite = (TlsCipherSuite)hello.CipherSuite;
        if (TakePreSharedKey(context, hello) is { } keyError)
            return keyError;
        context.Group = selected;
        context.Transcript.Select(CipherSuiteParameters.Of(context.CipherSuite).Hash);
        context.Transcript.Append(message.Whole);
        context.Await(new InitiatorAgreement(shares.Of(selected), share), new ClientAgreeKeys(offer, shares));
        return null;
    }

    /// <summary>Takes a pre-shared key into the handshake, if the server did.</summary>
    private TlsError? TakePreSharedKey(HandshakeContext context, ServerHello hello)
    {
        if (!hello.Extensions.TryGet(ExtensionType.PreSharedKey, out ReadOnlySpan<byte> data))
            return null;
        if (!PreSharedKeyExtension.TryParseSelected(data, out ushort identity))
            return TlsError.Decode("The server's pre_shared_key is malformed.");
        // RFC 8446 §4.2.11: "Clients MUST verify that the server's selected_identity is within the range supplied by the client, that the
        // server selected a cipher suite indicating a Hash associated with the PSK … If these values are not consistent, the client MUST
        // abort the handshake with an "illegal_parameter" alert."
        if (identity >= offer.Keys.Count || offer.Keys[identity].Hash != CipherSuiteParameters.Of(context.CipherSuite).Hash)
            return TlsError.Illegal("The server took a pre-shared key that was not offered, or one of another hash.");
        offer.Keys[identity].TakeInto(context, identity);
        return null;
    }
}
