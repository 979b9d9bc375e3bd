using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls;

/// <summary>
/// A TLS 1.3 connection (RFC 8446) as a machine from bytes to bytes: it opens no socket, reads no clock and starts no thread.
/// </summary>
/// <remarks>
/// <para><b>Call order.</b> <see cref="Handshake"/> until it gives <see cref="TlsStatus.Complete"/>; in between, whenever it says that work
/// is needed, <see cref="TlsPendingWork.Execute"/> of <see cref="PendingWork"/> on any thread. Then <see cref="Read"/> and
/// <see cref="Write"/> in any mix, <see cref="UpdateKeys"/> and <see cref="ExportKeyingMaterial"/> at will, and <see cref="Close"/> at
/// the end; or <see cref="DetachTraffic"/>, which hands the record keys to an lcore. The getters are valid at any time, and hold what is
/// known by then.</para>
/// <para><b>Buffers.</b> A source holds received bytes from the first that was not consumed; only whole records are consumed, so it needs
/// room for <see cref="MaxRecordSize"/> bytes. Send what was written to a destination after every call, whatever its status.</para>
/// <para><b>Threads.</b> One thread at a time; which one may change from call to call. A thread keeps an AEAD engine of its own for the
/// connections that it drives, so a connection holds no more than its keys. Control threads only: lcores read and write with
/// <see cref="TlsRecordReader"/> and <see cref="TlsRecordWriter"/>.</para>
/// <para><b>Errors.</b> What the peer does is a status with an <see cref="Error"/>, never an exception. Exceptions are for misuse.</para>
/// </remarks>
public abstract partial class TlsConnection : IDisposable
{
    /// <summary>The longest record on the wire: 5 + 2^14 + 256 bytes.</summary>
    public const int MaxRecordSize = TlsRecordSizes.MaxRecord;

    /// <summary>The most application data in one record: 2^14 bytes. A destination of this size is large enough for every <see cref="Read"/>.</summary>
    public const int MaxPlaintextSize = TlsRecordSizes.MaxContent;

    private readonly RecordProtection _records = new();
    private readonly OutgoingBuffer _outgoing = new();
    private readonly HandshakeJoiner _joiner = new();
    private readonly HandshakeContext _context;

    private bool _peerClosed;
    private bool _closed;
    private bool _detached;
    private bool _disposed;

    private protected TlsConnection(TlsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _context = new HandshakeContext(options, _records, _outgoing, _joiner);
    }

    /// <summary>Why the connection failed; null while it has not.</summary>
    public TlsError? Error { get; private set; }

    /// <summary>Public-key work that the handshake waits for; null if there is none.</summary>
    public TlsPendingWork? PendingWork => _context.Work;

    /// <summary>Whether the handshake is complete, so that application data may flow.</summary>
    public bool IsHandshakeComplete => _context.State.IsConnected && Error is null;

    /// <summary>Whether there are bytes for the peer that did not fit a destination yet: <see cref="Flush"/> gives them out.</summary>
    public bool HasPendingOutput => !_outgoing.IsEmpty;

    /// <summary>The negotiated cipher suite; <see cref="TlsCipherSuite.None"/> before.</summary>
    public TlsCipherSuite NegotiatedCipherSuite => _context.CipherSuite;

    /// <summary>The negotiated key exchange group; <see cref="TlsNamedGroup.None"/> before.</summary>
    public TlsNamedGroup NegotiatedGroup => _context.Group;

    /// <summary>The scheme that the server signed with; <see cref="TlsSignatureScheme.None"/> before.</summary>
    public TlsSignatureScheme NegotiatedSignatureScheme => _context.SignatureScheme;

    /// <summary>How the server's certificate was compressed (RFC 8879); <see cref="TlsCertificateCompression.None"/> if it was not, or not sent.</summary>
    public TlsCertificateCompression CertificateCompression => _context.CertificateCompression;

    /// <summary>The negotiated application protocol (ALPN); the default value if there is none.</summary>
    public SslApplicationProtocol ApplicationProtocol => _context.ApplicationProtocol;

    /// <summary>The DNS name that the client asked for (SNI); null if it asked for none. In ASCII, chosen by the client.</summary>
    public string? ServerName => _context.ServerName;

    /// <summary>Whether the connection resumes an earlier one, so that no certificate was sent (RFC 8446 §2.2).</summary>
    public bool IsResumed => _context.IsResumed;

    /// <summary>
    /// The identity of the pre-shared key from elsewhere by which the sides know each other (RFC 8446 §4.2.11), so that no certificate was
    /// sent; empty if there is none, as with a session's key.
    /// </summary>
    public ReadOnlySpan<byte> PreSharedKeyIdentity => _context.PreSharedKeyIdentity;

    /// <summary>Whether the handshake took a HelloRetryRequest.</summary>
    public bool WasRetried => _context.WasRetried;

    /// <summary>
    /// The verify_data of the client's Finished (RFC 8446 §4.4.4), on both sides: 32 or 48 bytes that no other connection has, and that
    /// were never sent in the clear. Empty until the handshake is complete.
    /// </summary>
    /// <remarks>
    /// For protocols that bind themselves to it, as STRAP of openconnect 9.01 does. New ones use <see cref="ExportKeyingMaterial"/> with the
    /// label of RFC 9266, which defines the channel binding of TLS 1.3.
    /// </remarks>
    public ReadOnlySpan<byte> ClientFinished => _context.ClientFinished;

    /// <summary>How often the peer updated its keys.</summary>
    public uint KeyUpdatesReceived => _records.KeyUpdatesReceived;

    /// <summary>How often this side updated its keys.</summary>
    public uint KeyUpdatesSent => _records.KeyUpdatesSent;

    /// <summary>
    /// The most application data in one record that <see cref="Write"/> makes: <see cref="MaxPlaintextSize"/>, or less if the peer asked
    /// for it (RFC 8449). 0 before the handshake is complete.
    /// </summary>
    public int MaxWriteSize => CanWrite ? _records.MaxContent : 0;

    /// <summary>
    /// The peer's certificate, once it is verified, or accepted by the application; disposed of with the connection. On a resumed connection
    /// it is the session's. Null on a server without <see cref="TlsServerOptions.ClientAuthentication"/>, whose client showed none, and
    /// with a pre-shared key from elsewhere.
    /// </summary>
    public X509Certificate2? RemoteCertificate => _context.RemoteCertificate.Value;

    private protected HandshakeContext Context => _context;

    /// <summary>For tests of the limits of a key, which no test could reach by sending.</summary>
    internal RecordProtection Records => _records;

    /// <summary>Takes application data out of records, one record per call at most.</summary>
    /// <param name="source">Received bytes.</param>
    /// <param name="destination">Takes the data: give <see cref="MaxPlaintextSize"/> bytes, which is enough for every record.</param>
    /// <param name="bytesConsumed">How many bytes of the source are done with.</param>
    /// <param name="bytesWritten">How many bytes of data there are.</param>
    /// <returns>
    /// <see cref="TlsStatus.Complete"/> with data; <see cref="TlsStatus.NeedMoreData"/>; <see cref="TlsStatus.DestinationTooSmall"/>, with
    /// the record left in the source; <see cref="TlsStatus.Closed"/>; or <see cref="TlsStatus.Failed"/>. An end of the stream without
    /// <see cref="TlsStatus.Closed"/> is a truncation (RFC 8446 §6.1). If <see cref="HasPendingOutput"/> is then true, call <see cref="Flush"/>.
    /// With <see cref="TlsClientOptions.AllowPostHandshakeAuthentication"/> or <see cref="TlsServer.TryRequestCertificate"/> also one of the
    /// Needs… that <see cref="PendingWork"/> explains: it is to be executed before the next call; <see cref="Write"/> may be called in between.
    /// </returns>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or the connection was detached.</exception>
    public TlsStatus Read(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten)
    {
        bytesConsumed = bytesWritten = 0;
        CheckUsable();
        while (true)
        {
            if (Error is not null)
                return TlsStatus.Failed;
            if (_peerClosed)
                return TlsStatus.Closed;
            CheckConnected();
            if (_context.Work is { } work)
            {
                if (!work.IsDone)
                    return work.Status;
                Resume(work);
                continue;
            }
            ReadOnlySpan<byte> rest = source[bytesConsumed..];
            TlsRecordHeaderStatus found = TlsRecordHeader.TryParse(rest, isProtected: true, out TlsRecordHeader header);
            if (found == TlsRecordHeaderStatus.NeedMoreData)
                return TlsStatus.NeedMoreData;
            if (found != TlsRecordHeaderStatus.Complete)
            {
                Fail(HeaderError(found));
                continue;
            }
            if (header.Type != TlsContentType.ApplicationData)
            {
                // RFC 8446 §5: change_cipher_spec is tolerated until the peer's Finished, and not behind it.
                Fail(TlsError.Unexpected("The peer sent a change_cipher_spec behind the handshake."));
                continue;
            }
            // The data may be all of the payload but type and tag; whether it is, only opening tells, and that cannot be undone.
            if (destination.Length < Math.Min(header.PayloadLength + TlsRecordSizes.Header - TlsRecordSizes.Overhead, MaxPlaintextSize))
                return TlsStatus.DestinationTooSmall;
            bytesConsumed += header.RecordLength;
            TlsOpenedRecord opened = _records.Open(rest[..header.RecordLength], forgiveForgery: false, out ReadOnlySpan<byte> content);
            if (OnOpened(opened) && !content.IsEmpty)
            {
                content.CopyTo(destination);
                bytesWritten = content.Length;
                return TlsStatus.Complete;
            }
        }
    }

    /// <summary>Puts application data into records, behind whatever else is to be sent. Empty data only flushes.</summary>
    /// <param name="source">The data.</param>
    /// <param name="destination">Takes the records: 22 bytes more than the data for each record of up to <see cref="MaxWriteSize"/> bytes.</param>
    /// <param name="bytesConsumed">How many bytes of the data are in records.</param>
    /// <param name="bytesWritten">How many bytes are to be sent.</param>
    /// <returns><see cref="TlsStatus.Complete"/>; <see cref="TlsStatus.DestinationTooSmall"/>, to call again with the rest; or <see cref="TlsStatus.Failed"/>.</returns>
    /// <exception cref="InvalidOperationException"><see cref="CanWrite"/> is false.</exception>
    public TlsStatus Write(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten)
    {
        bytesConsumed = bytesWritten = 0;
        CheckUsable();
        if (Error is not null)
            return Flush(destination, out bytesWritten);
        if (!CanWrite)
            CheckConnected();
        if (_closed && !source.IsEmpty)
            throw new InvalidOperationException("Nothing can be written behind Close.");
        while (true)
        {
            TlsStatus flushed = Flush(destination[bytesWritten..], out int moved);
            bytesWritten += moved;
            if (flushed != TlsStatus.Complete || bytesConsumed == source.Length)
                return flushed;
            switch (_records.TrySealBurst(source[bytesConsumed..], destination[bytesWritten..], out int consumed, out int written))
            {
                case TlsRecordStatus.Added:
                    bytesConsumed += consumed;
                    bytesWritten += written;
                    break;
                case TlsRecordStatus.DestinationTooSmall:
                    return TlsStatus.DestinationTooSmall;
                case TlsRecordStatus.KeyUpdateNeeded:
                    // RFC 8446 §5.5: a KeyUpdate before the limit of the key.
                    _records.SendKeyUpdate(requestUpdate: false, _outgoing);
                    break;
                case var other:
                    Fail(TlsError.Local($"The record layer refused to seal: {other}."));
                    break;
            }
        }
    }

    /// <summary>Gives out what is pending: the rest of a flight, an answer to a KeyUpdate, an alert.</summary>
    /// <returns><see cref="TlsStatus.Complete"/> when nothing is left, <see cref="TlsStatus.Failed"/> when nothing is left of a failed
    /// connection, or <see cref="TlsStatus.DestinationTooSmall"/>.</returns>
    public TlsStatus Flush(Span<byte> destination, out int bytesWritten)
    {
        CheckUsable();
        // RFC 8446 §4.6.3: the answer goes before the next application data; one is enough, however often the peer asks before it is sent.
        if (IsHandshakeComplete && !_closed && _outgoing.IsEmpty && _records.TakeKeyUpdateRequest())
            _records.SendKeyUpdate(requestUpdate: false, _outgoing);
        bytesWritten = _outgoing.MoveTo(destination);
        if (!_outgoing.IsEmpty)
            return TlsStatus.DestinationTooSmall;
        return Error is null ? TlsStatus.Complete : TlsStatus.Failed;
    }

    /// <summary>Changes the keys of this side's direction with a KeyUpdate (RFC 8446 §4.6.3); <see cref="Flush"/> or <see cref="Write"/> gives it out.</summary>
    /// <param name="requestPeer">Whether the peer is to change its keys as well.</param>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or <see cref="Close"/> or <see cref="DetachTraffic"/> was called.</exception>
    public void UpdateKeys(bool requestPeer = false)
    {
        CheckUsable();
        CheckConnected();
        if (_closed)
            throw new InvalidOperationException("Keys cannot be updated behind Close.");
        _records.SendKeyUpdate(requestPeer, _outgoing);
    }

    /// <summary>
    /// Ends this side's direction with close_notify (RFC 8446 §6.1), during the handshake behind a user_canceled. Data may still be read.
    /// May be called again until it gives <see cref="TlsStatus.Complete"/>; a failed connection has nothing to add to its alert.
    /// </summary>
    /// <param name="destination">Takes the records.</param>
    /// <param name="bytesWritten">How many bytes are to be sent.</param>
    /// <returns>As <see cref="Flush"/>.</returns>
    public TlsStatus Close(Span<byte> destination, out int bytesWritten)
    {
        CheckUsable();
        if (!_closed && Error is null)
        {
            if (!_context.State.IsConnected)
                _context.SendAlert(TlsAlert.UserCanceled);
            _context.SendAlert(TlsAlert.CloseNotify);
            _closed = true;
        }
        return Flush(destination, out bytesWritten);
    }

    /// <summary>Exports keying material for a protocol above TLS (RFC 8446 §7.5, RFC 5705).</summary>
    /// <param name="label">Says what it is for, in ASCII.</param>
    /// <param name="context">Of any length; none and an empty one are the same.</param>
    /// <param name="output">Filled.</param>
    /// <exception cref="InvalidOperationException">The handshake is not complete.</exception>
    public void ExportKeyingMaterial(string label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentException.ThrowIfNullOrEmpty(label);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_context.Exporter is not { } exporter)
            throw new InvalidOperationException("Keying material is there once the handshake is complete.");
        exporter.Export(Encoding.ASCII.GetBytes(label), context, output);
    }

    /// <summary>
    /// Moves the record keys and sequence numbers out, for an lcore. Afterwards only the getters, <see cref="ExportKeyingMaterial"/> and
    /// <see cref="Dispose()"/> are of use. What the source of the last <see cref="Read"/> still holds is the lcore's to open.
    /// </summary>
    /// <param name="read">Native memory, aligned to 64 bytes; takes the state for <see cref="TlsRecordReader"/>.</param>
    /// <param name="write">Native memory, aligned to 64 bytes; takes the state for <see cref="TlsRecordWriter"/>.</param>
    /// <exception cref="InvalidOperationException">
    /// The handshake is not complete, the connection has ended, or <see cref="HasPendingOutput"/> is true: call <see cref="Flush"/> first; or
    /// <see cref="PendingWork"/> is not null, or the client owes an answer to <see cref="TlsServer.TryRequestCertificate"/>.
    /// </exception>
    public unsafe void DetachTraffic(TlsTrafficState* read, TlsTrafficState* write)
    {
        CheckUsable();
        CheckConnected();
        if (HasPendingOutput || _closed || _peerClosed || PendingWork != null || _context.State is Handshake.Server.ServerAuthenticate)
            throw new InvalidOperationException("Flush the connection before detaching it; one that was closed stays here.");
        _records.MoveTo(read, write);
        _detached = true;
    }

    /// <summary>Erases every secret.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Erases every secret.</summary>
    /// <param name="disposing">Always true: what is native has finalizers of its own.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        _context.Dispose();
        _context.RemoteCertificate.Dispose();
        _records.Dispose();
        _joiner.Release();
        _outgoing.Release();
        _earlyData.Release();
    }

    /// <summary>Takes the content of a record of handshake messages behind the handshake, which the record layer has checked.</summary>
    private protected virtual TlsError? OnPostHandshake(ReadOnlySpan<byte> content) => null;

    /// <summary>Judges what the record layer says about a record, but for the messages of a handshake.</summary>
    /// <returns>True if its content is application data.</returns>
    private bool OnOpened(in TlsOpenedRecord opened)
    {
        switch (opened.Status)
        {
            case TlsOpenStatus.Opened when opened.ContentType == TlsContentType.ApplicationData:
                return true;
            case TlsOpenStatus.Opened when opened.ContentType == TlsContentType.Handshake:
                if (OnPostHandshake(opened.Content) is { } error)
                    Fail(error);
                return false;
            case TlsOpenStatus.Handled:
                return false;
            case TlsOpenStatus.CloseNotify:
                _peerClosed = true;
                return false;
            case TlsOpenStatus.PeerAlert:
                Fail(TlsError.Alerted(opened.Alert));
                return false;
            default:
                Fail(RecordError(opened));
                return false;
        }
    }

    /// <summary>Ends the connection: keeps the reason, erases the handshake's secrets, and makes the alert (RFC 8446 §6.2).</summary>
    private void Fail(TlsError error)
    {
        Error = error;
        if (error.Kind != TlsErrorKind.PeerAlerted && !_closed)
            _context.SendAlert(error.Alert);
        _context.Dispose();
        _joiner.Release();
        _earlyData.Release();
    }

    private static TlsError HeaderError(TlsRecordHeaderStatus status) => status switch
    {
        TlsRecordHeaderStatus.RecordOverflow => TlsError.Misbehaved(TlsAlert.RecordOverflow, "The peer sent a record longer than 2^14 bytes and what protection adds."),
        TlsRecordHeaderStatus.DecodeError => TlsError.Decode("The peer sent a record without content."),
        _ => TlsError.Unexpected("The peer sent something that is no record of TLS 1.3, or one of a type that may not come now."),
    };

    private static TlsError RecordError(in TlsOpenedRecord opened) => opened.Status == TlsOpenStatus.InternalError
        ? TlsError.Local("The AEAD backend failed to open a record.")
        : TlsError.Misbehaved(opened.Alert, $"The peer sent a record that was refused: {opened.Status}.");

    private void CheckUsable()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_detached)
            throw new InvalidOperationException("The connection was detached: its records are read and written on an lcore.");
    }

    private protected void CheckMayAsk()
    {
        CheckUsable();
        CheckConnected();
        if (_closed || _peerClosed || Error is not null)
            throw new InvalidOperationException("The connection has ended: nobody is there to be asked.");
    }

    private void CheckConnected()
    {
        if (!_context.State.IsConnected)
            throw new InvalidOperationException("The handshake is not complete: call Handshake until it is.");
    }
}
