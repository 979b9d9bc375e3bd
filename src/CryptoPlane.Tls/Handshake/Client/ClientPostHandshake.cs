using System.Diagnostics.CodeAnalysis;
using CryptoPlane.Tls.Handshake.Resumption;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Client;

/// <summary>What a server sends a client behind the handshake (RFC 8446 §4.6), as far as the options want it: tickets, and requests for a certificate.</summary>
internal sealed class ClientPostHandshake(TlsClientOptions options) : IDisposable
{
    private readonly HandshakeJoiner _joiner = new();
    private readonly ClientSessions? _sessions = options.KeepSessions ? new ClientSessions(options) : null;

    /// <summary>
    /// Takes the content of a record: messages, or parts of them, which the record layer found to be such as may come. It stops at a
    /// request whose answer must be signed; called again without content, it goes on.
    /// </summary>
    public TlsError? OnMessages(HandshakeContext context, ReadOnlySpan<byte> content)
    {
        _joiner.Append(content);
        TlsError? error = null;
        while (context.Work == null && _joiner.TryTake(out HandshakeMessage message, out error))
        {
            TlsError? messageError = message.Type switch
            {
                HandshakeType.NewSessionTicket => _sessions?.OnTicket(context, message),
                HandshakeType.CertificateRequest => ClientAuthenticate.OnRequest(context, options, message),
                _ => null,
            };
            if (messageError != null)
                return messageError;
        }
        if (_joiner.IsEmpty)
            _joiner.Release();
        return error;
    }

    public bool TryTakeSession([NotNullWhen(true)] out TlsSession? session)
    {
        session = null;
        return _sessions?.TryTake(out session) == true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _joiner.Release();
        _sessions?.Dispose();
    }
}
