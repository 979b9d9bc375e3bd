using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Handshake.Server;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls;

/// <summary>The server's side of a connection.</summary>
/// <inheritdoc cref="TlsConnection" path="/remarks"/>
public sealed class TlsServer : TlsConnection
{
    private readonly TlsServerOptions _options;
    private readonly HandshakeJoiner _joiner = new();
    private bool _wasAsked;

    /// <summary>Makes a connection that waits for a ClientHello.</summary>
    public TlsServer(TlsServerOptions options)
        : base(options)
    {
        _options = options;
        Context.Enter(new ServerExpectClientHello(options));
    }

    /// <summary>
    /// Asks the client for its certificate behind the handshake (RFC 8446 §4.6.2), with <see cref="TlsClientAuthentication.IsDeferred"/>;
    /// <see cref="TlsConnection.Flush"/> or <see cref="TlsConnection.Write"/> gives the request out. Then <see cref="TlsConnection.Read"/> gives
    /// <see cref="TlsStatus.NeedsCertificateVerification"/> when the answer came, and <see cref="TlsConnection.RemoteCertificate"/> has the
    /// certificate once <see cref="IsCertificateRequested"/> is false again, unless the client has none. Data may flow meanwhile.
    /// </summary>
    /// <returns>False if the client has not allowed it in its ClientHello.</returns>
    /// <exception cref="InvalidOperationException">
    /// The handshake is not complete, the options do not say <see cref="TlsClientAuthentication.IsDeferred"/>, the client was asked before, or
    /// the connection has ended or was detached.
    /// </exception>
    public bool TryRequestCertificate()
    {
        CheckMayAsk();
        if (_options.ClientAuthentication is not { IsDeferred: true })
            throw new InvalidOperationException("The options say nothing of certificates behind the handshake: set TlsClientAuthentication.IsDeferred.");
        if (_wasAsked)
            throw new InvalidOperationException("The client is asked once: who it is does not change in a connection.");
        if (Context.MainTranscript == null)
            return false;
        _wasAsked = true;
        ServerAuthenticate.Ask(Context, _options);
        return true;
    }

    /// <summary>Whether the client was asked for its certificate behind the handshake, and its answer is not complete.</summary>
    public bool IsCertificateRequested => Context.State is ServerAuthenticate;

    /// <summary>
    /// Takes early data, once <see cref="TlsConnection.Handshake"/> says <see cref="TlsStatus.EarlyData"/>; the handshake goes on when all of it
    /// is taken. Others may have sent it before, and may send it again: do with it only what may happen twice without harm (RFC 8446 §8).
    /// </summary>
    /// <param name="destination">Takes the data: with <see cref="TlsConnection.MaxPlaintextSize"/> bytes all of it.</param>
    /// <returns>How many bytes there are; 0 if there are none now.</returns>
    public int ReadEarlyData(Span<byte> destination) => TakeEarlyData(destination);

    private protected override TlsError? OnPostHandshake(ReadOnlySpan<byte> content)
    {
        _joiner.Append(content);
        TlsError? error = null;
        while (Context.Work == null && _joiner.TryTake(out HandshakeMessage message, out error))
        {
            // The record layer has done what KeyUpdates ask for.
            if (message.Type != HandshakeType.KeyUpdate && Context.State.OnMessage(Context, message) is { } messageError)
                return messageError;
        }
        if (_joiner.IsEmpty)
            _joiner.Release();
        return error;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _joiner.Release();
        base.Dispose(disposing);
    }
}
