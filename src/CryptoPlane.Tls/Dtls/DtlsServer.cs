using System.Security.Cryptography;
using CryptoPlane.Tls.Record;
using CryptoPlane.Tls.Wire;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// The server side of one DTLS 1.2 association with a pre-shared key (RFC 6347, RFC 4279), from its verified ClientHello to the keys: no
/// socket, no clock and no thread of its own. Datagrams and clock values in, datagrams out.
/// </summary>
/// <remarks>
/// <para>Owned by one thread at a time; control threads only. Getters · <see cref="Receive"/> for what comes from the peer ·
/// <see cref="Advance"/> at <see cref="NextDeadline"/> · after either, <see cref="TryTakeDatagram"/> until there is none · when
/// <see cref="IsComplete"/>, <see cref="DetachTraffic"/> moves the keys out, best before the last flight is taken and sent, so that whoever has
/// them then is ready for what the client sends at once. Keep the object for a while after that: it answers a client that missed the last
/// flight.</para>
/// <para>Nothing that can be forged ends a handshake: what is wrong before the keys are there is dropped and counted, and a handshake without
/// progress fails by its deadline (RFC 6347 §4.1.2.7). An error is what the client itself has shown to be wrong.</para>
/// </remarks>
public sealed unsafe class DtlsServer : IDisposable
{
    /// <summary>How often the last flight is sent again at most, since anybody can ask for it.</summary>
    private const int MaxLastFlights = 16;

    /// <summary>RFC 6347 §4.2.4.1: "at least 60 seconds".</summary>
    private const long MaxRetransmissionTimeout = 60_000;

    private readonly DtlsServerOptions _options;
    private readonly DtlsClientHello _hello;
    private readonly byte[] _psk;
    private readonly Queue<byte[]> _outgoing = new();
    private readonly DtlsReassembler _reassembler = new();
    private readonly long _deadline;
    private readonly byte[] _serverRandom = new byte[DtlsHelloView.RandomSize];
    private DtlsFlight _helloFlight = new();
    private DtlsServerKeys? _keys;
    private byte[]? _lastFlight;
    private byte[]? _early;
    private ulong _recordSequence;
    private ushort _sendSequence;
    private ushort _receiveSequence;
    private long _retransmitAt;
    private long _timeout;
    private int _lastFlights;
    private bool _answered;

    /// <summary>Begins an association: the answer to the hello is ready to be taken.</summary>
    /// <param name="options">What is offered.</param>
    /// <param name="hello">From <see cref="DtlsHelloGate"/>.</param>
    /// <param name="psk">The pre-shared key; copied, and the caller zeroes its own.</param>
    /// <param name="now">The clock, in milliseconds.</param>
    /// <exception cref="ArgumentException">The key is empty or longer than 256 bytes.</exception>
    public DtlsServer(DtlsServerOptions options, DtlsClientHello hello, ReadOnlySpan<byte> psk, long now)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(hello);
        if (psk.Length is 0 or > DtlsPrf.MaxPsk)
            throw new ArgumentException($"A pre-shared key has 1 to {DtlsPrf.MaxPsk} bytes.", nameof(psk));
        _options = options;
        _hello = hello;
        _psk = GC.AllocateArray<byte>(psk.Length, pinned: true);
        psk.CopyTo(_psk);
        _deadline = now + options.HandshakeTimeout;
        // RFC 6347 §4.2.1: "the server MUST use the record sequence number in the ClientHello as the record sequence number in the initial
        // ServerHello"; its message is the one behind the HelloVerifyRequest, which had the number of the first ClientHello.
        _recordSequence = hello.RecordSequence;
        _sendSequence = hello.MessageSequence;
        _receiveSequence = (ushort)(hello.MessageSequence + 1);
        AnswerHello(now);
    }

    /// <summary>Whether both Finished were right: the keys can be detached.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>Why the handshake failed; null while it goes on, and when it is complete.</summary>
    public TlsError? Error { get; private set; }

    /// <summary>The suite; <see cref="DtlsCipherSuite.None"/> when there is none in common.</summary>
    public DtlsCipherSuite NegotiatedCipherSuite { get; private set; }

    /// <summary>Whether the master secret is bound to the whole handshake (RFC 7627): the client wanted it.</summary>
    public bool UsesExtendedMasterSecret { get; private set; }

    /// <summary>Records that were dropped: malformed, forged, of a wrong epoch, or out of place.</summary>
    public int DroppedRecords { get; private set; }

    /// <summary>When <see cref="Advance"/> is to be called, in milliseconds; <see cref="long.MaxValue"/> for never.</summary>
    public long NextDeadline => IsComplete || Error != null ? long.MaxValue : Math.Min(_retransmitAt, _deadline);

    /// <summary>Whether a ClientHello is the one that this association began with, sent again.</summary>
    public bool IsOf(DtlsClientHello hello)
    {
        ArgumentNullException.ThrowIfNull(hello);
        return hello.Random.AsSpan().SequenceEqual(_hello.Random);
    }

    /// <summary>Takes a datagram of the peer.</summary>
    /// <param name="datagram">All of it: records may follow each other. Not changed.</param>
    /// <param name="now">The clock, in milliseconds.</param>
    public void Receive(ReadOnlySpan<byte> datagram, long now)
    {
        _answered = false;
        while (!datagram.IsEmpty && Error == null)
        {
            if (!DtlsRecordHeader.TryParse(datagram, out DtlsRecordHeader header))
            {
                DroppedRecords++;
                return;
            }
            ReadOnlySpan<byte> record = datagram[..header.RecordLength];
            datagram = datagram[header.RecordLength..];
            if (header.Epoch == 0 && header.Type == TlsContentType.Handshake)
                ReceivePlain(record[DtlsRecordSizes.Header..], now);
            else if (header.Epoch == 1 && header.Type == TlsContentType.Handshake && !IsComplete)
                ReceiveProtected(record);
            // A ChangeCipherSpec says nothing that the epoch of the records behind it does not (RFC 6347 §4.1), and may be lost or come late.
            // Alerts without protection prove nothing.
            else if (header.Type != TlsContentType.ChangeCipherSpec)
                DroppedRecords++;
        }
    }

    /// <summary>Lets time pass: flights are sent again, and a handshake without end fails.</summary>
    /// <param name="now">The clock, in milliseconds.</param>
    public void Advance(long now)
    {
        if (now < NextDeadline)
            return;
        if (now >= _deadline)
        {
            Error = TlsError.Local("The handshake did not come to its end in time.");
            return;
        }
        // RFC 6347 §4.2.4.1: doubled "at each retransmission, up to no less than the RFC 6298 maximum of 60 seconds".
        _timeout = Math.Min(2 * _timeout, MaxRetransmissionTimeout);
        SendHelloFlight(now);
    }

    /// <summary>Takes the next datagram that is to be sent.</summary>
    /// <param name="destination">Room for <see cref="DtlsServerOptions.MaxDatagram"/> bytes.</param>
    /// <param name="length">Bytes of the datagram.</param>
    /// <returns>False if there is none.</returns>
    public bool TryTakeDatagram(Span<byte> destination, out int length)
    {
        length = 0;
        if (!_outgoing.TryDequeue(out byte[]? datagram))
            return false;
        datagram.CopyTo(destination);
        length = datagram.Length;
        return true;
    }

    /// <summary>Moves the record keys out, for an lcore.</summary>
    /// <param name="read">Native memory for what opens the client's records; overwritten.</param>
    /// <param name="write">Native memory for what seals; its first record, our Finished, was sealed already.</param>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or the keys were moved before.</exception>
    public void DetachTraffic(DtlsTrafficState* read, DtlsTrafficState* write)
    {
        if (!IsComplete || _keys == null)
            throw new InvalidOperationException("Keys can be detached once, when the handshake is complete.");
        _keys.MoveTo(read, write);
        _keys.Dispose();
        _keys = null;
    }

    /// <summary>Erases the secrets.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_psk);
        _keys?.Dispose();
        _keys = null;
        _outgoing.Clear();
    }

    /// <summary>Decides on the hello, and sends ServerHello and ServerHelloDone.</summary>
    private void AnswerHello(long now)
    {
        _timeout = _options.RetransmissionTimeout;
        _retransmitAt = long.MaxValue;
        // The gate has parsed it before.
        if (!DtlsHelloView.TryParse(_hello.Body, out DtlsHelloView view))
            throw new ArgumentException("The ClientHello is malformed.");
        // Versions of DTLS count down.
        if (view.Version > DtlsRecordHeader.Version || view.Version >> 8 != DtlsRecordHeader.Version >> 8)
        {
            Refuse(TlsError.Incompatible(TlsAlert.ProtocolVersion, "The client has no DTLS 1.2."));
            return;
        }
        foreach (DtlsCipherSuite suite in _options.CipherSuites)
        {
            if (NegotiatedCipherSuite == DtlsCipherSuite.None && view.CipherSuites.Contains((ushort)suite))
                NegotiatedCipherSuite = suite;
        }
        // RFC 5246 §7.4.1.2: every client has the compression method null.
        if (NegotiatedCipherSuite == DtlsCipherSuite.None || !view.CompressionMethods.Contains((byte)0))
        {
            Refuse(TlsError.Incompatible(TlsAlert.HandshakeFailure, "The client has no cipher suite of ours."));
            return;
        }
        _options.Randomness(_serverRandom);
        byte[] serverHello = DtlsServerHello.Write(view, NegotiatedCipherSuite, _serverRandom, _sendSequence++, out bool extendedMasterSecret);
        UsesExtendedMasterSecret = extendedMasterSecret;
        byte[] done = DtlsHandshakeHeader.Whole(DtlsHandshakeType.ServerHelloDone, _sendSequence++, []);
        _keys = new DtlsServerKeys(DtlsSuiteParameters.Of(NegotiatedCipherSuite), extendedMasterSecret);
        // RFC 6347 §4.2.1: the first ClientHello and the HelloVerifyRequest are no part of the transcript.
        _keys.Append(_hello.Message);
        _keys.Append(serverHello);
        _keys.Append(done);
        _helloFlight.Add(serverHello);
        _helloFlight.Add(done);
        SendHelloFlight(now);
    }

    private void SendHelloFlight(long now)
    {
        _helloFlight.Send(_options.MaxDatagram, ref _recordSequence, _outgoing);
        _retransmitAt = now + _timeout;
    }

    private void ReceivePlain(ReadOnlySpan<byte> content, long now)
    {
        while (!content.IsEmpty)
        {
            if (!DtlsHandshakeHeader.TryParse(content, out DtlsHandshakeHeader header, out ReadOnlySpan<byte> fragment))
            {
                DroppedRecords++;
                return;
            }
            content = content[(DtlsHandshakeHeader.Size + fragment.Length)..];
            if (header.MessageSequence < _receiveSequence)
                AnswerAgain(header, now);
            // RFC 6347 §4.2.2: what is ahead may be dropped; it is sent again. Behind the ClientKeyExchange nothing comes in this epoch.
            else if (header.MessageSequence != _receiveSequence || header.Type != DtlsHandshakeType.ClientKeyExchange || _keys is not { AreDerived: false })
                DroppedRecords++;
            else if (_reassembler.TryAdd(header, fragment, out byte[] body))
                TakeClientKeyExchange(body, header.MessageSequence);
        }
    }

    /// <summary>A message that was taken before came again: the client has not got our answer (RFC 6347 §4.2.4).</summary>
    private void AnswerAgain(in DtlsHandshakeHeader header, long now)
    {
        // Once for a datagram, however many records it has: nothing of it is proven.
        if (_answered)
            return;
        if (_lastFlight == null && _keys is { AreDerived: false } && header.Type == HandshakeType.ClientHello)
            SendHelloFlight(now);
        // With the same record numbers as before: the keys may be with an lcore by now. Who has got it already drops it as replayed.
        else if (_lastFlight != null && header.Type == DtlsHandshakeType.ClientKeyExchange && _lastFlights++ < MaxLastFlights)
            _outgoing.Enqueue(_lastFlight);
        else
            return;
        _answered = true;
    }

    private void TakeClientKeyExchange(byte[] body, ushort messageSequence)
    {
        // RFC 4279 §2: psk_identity. A wrong one may be somebody else's datagram, and leads nowhere: dropped, like one that does not parse.
        var reader = new WireReader(body);
        if (!reader.TryReadVector16(out ReadOnlySpan<byte> identity) || !reader.IsAtEnd || !identity.SequenceEqual(_options.Identity.Span))
        {
            DroppedRecords++;
            return;
        }
        _receiveSequence++;
        // The client has our flight; its Finished comes, or all of its flight again.
        _retransmitAt = long.MaxValue;
        _keys!.Append(DtlsHandshakeHeader.Whole(DtlsHandshakeType.ClientKeyExchange, messageSequence, body));
        _keys.Derive(_psk, _hello.Random, _serverRandom);
        if (_early is { } early)
        {
            _early = null;
            ReceiveProtected(early);
        }
    }

    private void ReceiveProtected(ReadOnlySpan<byte> record)
    {
        const int longestFinished = 256;
        if (_keys is not { AreDerived: true })
        {
            // It overtook the ClientKeyExchange: one record is kept.
            if (_early == null && record.Length <= longestFinished)
                _early = record.ToArray();
            else
                DroppedRecords++;
            return;
        }
        if (!_keys.TryOpen(record, out byte[] content)
            || !DtlsHandshakeHeader.TryParse(content, out DtlsHandshakeHeader header, out ReadOnlySpan<byte> body))
        {
            DroppedRecords++;
            return;
        }
        // From here on it is the client's own doing.
        if (header.Type != HandshakeType.Finished || header.MessageSequence != _receiveSequence)
        {
            Refuse(TlsError.Unexpected("Something else came in the place of Finished."));
            return;
        }
        if (!_reassembler.TryAdd(header, body, out byte[] verifyData))
            return;
        if (!_keys.IsClientFinished(verifyData))
        {
            Refuse(TlsError.Misbehaved(TlsAlert.DecryptError, "The client's Finished is wrong."));
            return;
        }
        _keys.Append(DtlsHandshakeHeader.Whole(HandshakeType.Finished, header.MessageSequence, verifyData));
        _lastFlight = _keys.SealLastFlight(_sendSequence, ref _recordSequence);
        _outgoing.Enqueue(_lastFlight);
        _helloFlight = new DtlsFlight();
        CryptographicOperations.ZeroMemory(_psk);
        IsComplete = true;
    }

    private void Refuse(TlsError error)
    {
        const byte fatal = 2;
        Error = error;
        byte[] alert = new byte[DtlsRecordSizes.Header + 2];
        new DtlsRecordHeader(TlsContentType.Alert, 0, _recordSequence++, 2).Write(alert);
        alert[^2] = fatal;
        alert[^1] = (byte)error.Alert;
        _outgoing.Enqueue(alert);
    }
}
