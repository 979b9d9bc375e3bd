using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Handshake.Resumption;

/// <summary>A server's side of resumption (RFC 8446 §2.2): gives tickets out, and looks at those that come back.</summary>
internal static class ServerTickets
{
    /// <summary>Room for a ticket's state, and for what a cipher pads it with.</summary>
    public const int MaxPlaintext = TicketState.MaxLength + 16;

    /// <summary>Writes tickets behind the client's Finished, which ends the transcript.</summary>
    public static void Send(HandshakeContext context, TlsServerOptions options, ApplicationKeys application)
    {
        // Behind a key from elsewhere a ticket would save nothing, and would not say who the client is.
        // RFC 8446 §4.2.9: "Servers … SHOULD NOT send NewSessionTicket with tickets that are not compatible with the advertised modes".
        if (options.TicketProtector is not { } protector || options.TicketCount == 0 || !context.TakesTickets || context.PreSharedKeyIdentity.Length != 0
            || context.Identity?.Certificate.Length > ClientIdentity.MaxCertificate)
            return;
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength], plaintext = stackalloc byte[TicketState.MaxLength];
        Span<byte> preSharedKey = stackalloc byte[CipherSuiteParameters.Of(context.CipherSuite).Hash.Length()];
        Span<byte> ageAdd = stackalloc byte[sizeof(uint)];
        using ResumptionSecret secret = application.DeriveResumption(context.Transcript.Snapshot(digest));
        for (int i = 0; i < options.TicketCount; i++)
        {
            // RFC 8446 §4.6.1: a nonce that is unique among the connection's tickets.
            ReadOnlySpan<byte> nonce = [(byte)i];
            secret.DeriveTicketKey(nonce, preSharedKey);
            RandomNumberGenerator.Fill(ageAdd);
            var state = new TicketState
            {
                Suite = context.CipherSuite,
                Issued = options.TimeProvider.UnixMilliseconds(),
                AgeAdd = BinaryPrimitives.ReadUInt32BigEndian(ageAdd),
                MaxEarlyData = options.ClientAuthentication == null ? options.DangerousAcceptEarlyData?.MaxSize ?? 0 : 0,
                PreSharedKey = preSharedKey,
                ApplicationProtocol = context.ApplicationProtocol.Protocol.Span,
                ServerName = context.ServerName,
            };
            var ticket = new ArrayBufferWriter<byte>();
            protector.Protect(plaintext[..state.Write(context.Identity, plaintext)], ticket);
            NewSessionTicketMessage.Write(
                context.Messages, (uint)options.TicketLifetime.TotalSeconds, state.AgeAdd, nonce, ticket.WrittenSpan, state.MaxEarlyData);
        }
        CryptographicOperations.ZeroMemory(plaintext);
        CryptographicOperations.ZeroMemory(preSharedKey);
        context.SendMessages();
    }

    /// <summary>Looks at an identity that a client offers: whether it is a ticket of ours that may be used now.</summary>
    /// <param name="context">Knows the suite.</param>
    /// <param name="options">Of the server.</param>
    /// <param name="ticket">What the client offers.</param>
    /// <param name="serverName">What the client asks for.</param>
    /// <param name="plaintext">Takes the state, which holds a secret: <see cref="MaxPlaintext"/> bytes that the caller erases.</param>
    /// <param name="state">A view into it.</param>
    public static bool TryOpen(
        HandshakeContext context, TlsServerOptions options, ReadOnlySpan<byte> ticket, string? serverName, Span<byte> plaintext, out TicketState state)
    {
        state = default;
        return options.TicketProtector is { } protector && protector.TryUnprotect(ticket, plaintext, out int length)
            && TicketState.TryParse(plaintext[..length], out state) && IsUsable(context, options, state, serverName);
    }

    /// <summary>Uses a ticket up, if tickets are used once. Behind the binder: a stranger who has seen a ticket must not do that.</summary>
    /// <returns>False if it was used before.</returns>
    public static bool TryUse(TlsServerOptions options, ReadOnlySpan<byte> ticket, TicketState state)
    {
        if (options.TicketRegister is not { } register)
            return true;
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(ticket, digest);
        return register.TryUse(digest, state.Issued + (long)options.TicketLifetime.TotalMilliseconds);
    }

    private static bool IsUsable(HandshakeContext context, TlsServerOptions options, TicketState state, string? serverName)
    {
        long age = options.TimeProvider.UnixMilliseconds() - state.Issued;
        // RFC 8446 §4.2.11: a key goes with the hash of its suite. §4.6.1: the name must be the one of the first connection.
        return age >= -(long)options.TicketClockSkew.TotalMilliseconds && age <= (long)options.TicketLifetime.TotalMilliseconds
            && CipherSuiteParameters.Of(state.Suite).Hash == CipherSuiteParameters.Of(context.CipherSuite).Hash
            && string.Equals(state.ServerName, serverName, StringComparison.OrdinalIgnoreCase)
            && IsIdentityUsable(options, state);
    }

    /// <summary>Takes the client's identity out of the ticket that the connection resumes.</summary>
    public static void TakeIdentity(HandshakeContext context, TlsServerOptions options, TicketState state)
    {
        context.Identity = state.GetIdentity();
        // Else the application says first whether it still knows the client.
        if (context.Identity is { } identity && !options.ClientAuthentication!.ApplicationDecides)
            context.RemoteCertificate.Set(identity.Certificate);
    }

    /// <summary>Whether the client of a ticket may be taken for who it was, by the rules of now.</summary>
    private static bool IsIdentityUsable(TlsServerOptions options, TicketState state)
    {
        if (!state.HasIdentity)
            return options.ClientAuthentication is not { IsRequired: true, IsDeferred: false };
        long now = options.TimeProvider.UnixMilliseconds();
        // Tickets beget tickets: without a bound from the proof of the private key on, a client would never have to show it again.
        return options.ClientAuthentication is { } authentication && state.Policy.SequenceEqual(authentication.Digest)
            && now <= state.NotAfter && now - state.Verified <= (long)options.TicketLifetime.TotalMilliseconds;
    }
}
