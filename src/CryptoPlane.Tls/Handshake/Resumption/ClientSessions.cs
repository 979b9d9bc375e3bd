using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Resumption;

/// <summary>The sessions of one client connection: keeps the newest until they are taken.</summary>
internal sealed class ClientSessions(TlsClientOptions options) : IDisposable
{
    /// <summary>Most sessions that are kept; while nobody takes them, further ones are dropped.</summary>
    private const int MaxKept = 8;

    private readonly Stack<TlsSession> _sessions = [];

    public bool TryTake([NotNullWhen(true)] out TlsSession? session) => _sessions.TryPop(out session);

    /// <inheritdoc/>
    public void Dispose()
    {
        while (_sessions.TryPop(out TlsSession? session))
            session.Dispose();
    }

    /// <summary>Takes a NewSessionTicket.</summary>
    public TlsError? OnTicket(HandshakeContext context, HandshakeMessage message)
    {
        if (NewSessionTicketMessage.Parse(message.Body, out NewSessionTicketMessage ticket) is { } error)
            return error;
        // RFC 8446 §4.6.1: "The value of zero indicates that the ticket should be discarded immediately."
        if (ticket.Lifetime == 0 || context.Resumption is not { } secret || _sessions.Count == MaxKept)
            return null;
        byte[] preSharedKey = GC.AllocateUninitializedArray<byte>(secret.Hash.Length(), pinned: true);
        secret.DeriveTicketKey(ticket.Nonce, preSharedKey);
        _sessions.Push(new TlsSession(
            options, context.CipherSuite, context.ApplicationProtocol, context.RemoteCertificate.Data, preSharedKey, ticket.Ticket.ToArray(), ticket.AgeAdd,
            Math.Min(ticket.Lifetime, NewSessionTicketMessage.MaxLifetime), ticket.MaxEarlyData));
        return null;
    }
}
