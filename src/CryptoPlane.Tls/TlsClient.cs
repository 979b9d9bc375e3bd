using System.Diagnostics.CodeAnalysis;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Handshake.Client;

namespace CryptoPlane.Tls;

/// <summary>The client's side of a connection.</summary>
/// <inheritdoc cref="TlsConnection" path="/remarks"/>
public sealed class TlsClient : TlsConnection
{
    private readonly ClientPostHandshake? _postHandshake;

    /// <summary>Makes a connection that is about to generate its key pairs and to send a ClientHello.</summary>
    public TlsClient(TlsClientOptions options)
        : base(options)
    {
        if (options.KeepSessions || options.AllowPostHandshakeAuthentication)
            _postHandshake = new ClientPostHandshake(options);
        if (options.AllowPostHandshakeAuthentication)
            Context.Transcript.KeepMessages();
        Context.IsClient = true;
        // RFC 8446 §5: change_cipher_spec is tolerated once the ClientHello is sent, and a server says nothing before that.
        Context.IsHelloDone = true;
        Context.Await(new InitiatorKeyGeneration(options.EffectiveKeyShareGroups), new ClientSendHello(new ClientOffer(options)));
    }

    /// <summary>
    /// Takes a session that the server has given a ticket for, with <see cref="TlsClientOptions.KeepSessions"/>. Servers send tickets behind
    /// the handshake, so there may be some once <see cref="TlsConnection.Read"/> was called.
    /// </summary>
    /// <param name="session">The newest that was not taken; the caller disposes of it.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeSession([NotNullWhen(true)] out TlsSession? session)
    {
        session = null;
        return _postHandshake?.TryTakeSession(out session) == true;
    }

    /// <summary>
    /// The OCSP response (RFC 6960, DER) that came with the server's certificate; empty if none did. Once the handshake is complete it is
    /// checked as <see cref="TlsClientOptions.OcspStapling"/> says.
    /// </summary>
    public ReadOnlySpan<byte> OcspResponse => Context.OcspResponse;

    /// <summary>
    /// Whether <see cref="WriteEarlyData"/> may be called: from the ClientHello to the server's Finished, with
    /// <see cref="TlsClientOptions.DangerousSendEarlyData"/> and a session that permits it, unless the server rejects early data.
    /// </summary>
    public bool CanWriteEarlyData => Context.IsEarlyDataOpen && Error is null;

    /// <summary>Bytes of early data that the server still takes.</summary>
    public long EarlyDataRemaining => CanWriteEarlyData ? Context.EarlyDataRemaining : 0;

    /// <summary>
    /// Puts early data (0-RTT, RFC 8446 §2.3) into records, behind the ClientHello. Whether the server takes it,
    /// <see cref="TlsConnection.EarlyDataStatus"/> says by the end of the handshake; what is rejected the application may send again with
    /// <see cref="TlsConnection.Write"/>, and nothing does that for it. Others may repeat what is sent here.
    /// </summary>
    /// <param name="source">The data; no more than <see cref="EarlyDataRemaining"/> is taken of it.</param>
    /// <param name="destination">As with <see cref="TlsConnection.Write"/>.</param>
    /// <param name="bytesConsumed">How many bytes of the data are in records.</param>
    /// <param name="bytesWritten">How many bytes are to be sent.</param>
    /// <returns>As <see cref="TlsConnection.Write"/>.</returns>
    /// <exception cref="InvalidOperationException"><see cref="CanWriteEarlyData"/> is false.</exception>
    public TlsStatus WriteEarlyData(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten) =>
        SendEarlyData(source, destination, out bytesConsumed, out bytesWritten);

    private protected override TlsError? OnPostHandshake(ReadOnlySpan<byte> content) => _postHandshake?.OnMessages(Context, content);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _postHandshake?.Dispose();
        base.Dispose(disposing);
    }
}
