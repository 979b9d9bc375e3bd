using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls;

/// <summary>The loop of the handshake: from records to messages to states.</summary>
public abstract partial class TlsConnection
{
    /// <summary>Most change_cipher_spec records and user_canceled alerts during a handshake; one of each has a use.</summary>
    private const int MaxIdleRecords = 32;

    private int _idleRecords;

    /// <summary>Goes on with the handshake as far as it gets. A client calls it with an empty source to begin.</summary>
    /// <param name="source">Received bytes.</param>
    /// <param name="destination">Takes what is to be sent; a flight takes as many calls as its size needs.</param>
    /// <param name="bytesConsumed">How many bytes of the source are done with; data behind the handshake is left for <see cref="Read"/>.</param>
    /// <param name="bytesWritten">How many bytes are to be sent.</param>
    /// <returns>
    /// <see cref="TlsStatus.Complete"/>; <see cref="TlsStatus.NeedMoreData"/>; <see cref="TlsStatus.DestinationTooSmall"/>; one of the
    /// Needs… that <see cref="PendingWork"/> explains; <see cref="TlsStatus.EarlyData"/>; <see cref="TlsStatus.Closed"/>; or <see cref="TlsStatus.Failed"/>.
    /// </returns>
    public TlsStatus Handshake(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten)
    {
        CheckUsable();
        TlsStatus status = Advance(source, out bytesConsumed);
        bytesWritten = _outgoing.MoveTo(destination);
        return _outgoing.IsEmpty ? status : TlsStatus.DestinationTooSmall;
    }

    private TlsStatus Advance(ReadOnlySpan<byte> source, out int consumed)
    {
        consumed = 0;
        while (true)
        {
            if (Error is not null)
                return TlsStatus.Failed;
            if (!_earlyData.IsEmpty)
                return TlsStatus.EarlyData;
            if (_peerClosed)
                return TlsStatus.Closed;
            if (_context.Work is { } work)
            {
                if (!work.IsDone)
                    return work.Status;
                Resume(work);
            }
            else if (_context.State.IsConnected)
            {
                _joiner.Release();
                return TlsStatus.Complete;
            }
            else if (_joiner.TryTake(out HandshakeMessage message, out TlsError? joinError))
            {
                if (_context.State.OnMessage(_context, message) is { } error)
                    Fail(error);
            }
            else if (joinError is not null)
            {
                Fail(joinError);
            }
            else if (!TryTakeRecord(source, ref consumed))
            {
                return TlsStatus.NeedMoreData;
            }
        }
    }

    /// <summary>Goes on after public-key work, whose secrets are erased once the state has used them.</summary>
    private void Resume(TlsPendingWork work)
    {
        _context.Work = null;
        if ((work.Error ?? _context.State.OnWorkDone(_context, work)) is { } error)
            Fail(error);
        // Behind the handshake there may be messages of the same record, which waited.
        else if (_context.State.IsConnected && OnPostHandshake([]) is { } messageError)
            Fail(messageError);
        work.Dispose();
    }

    /// <returns>False if the source holds no whole record.</returns>
    private bool TryTakeRecord(ReadOnlySpan<byte> source, ref int consumed)
    {
        ReadOnlySpan<byte> rest = source[consumed..];
        // A client that could not use the ServerHello has no keys to protect its alert with; it ends the handshake either way.
        bool isPlainAlert = !rest.IsEmpty && rest[0] == (byte)TlsContentType.Alert && !_records.HasOpened;
        bool isProtected = _records.IsReadProtected && !isPlainAlert;
        TlsRecordHeaderStatus found = TlsRecordHeader.TryParse(rest, isProtected, out TlsRecordHeader header);
        if (found == TlsRecordHeaderStatus.NeedMoreData)
            return false;
        if (found != TlsRecordHeaderStatus.Complete)
        {
            Fail(HeaderError(found));
            return true;
        }
        consumed += header.RecordLength;
        ReadOnlySpan<byte> record = rest[..header.RecordLength];
        if (header.Type == TlsContentType.ChangeCipherSpec)
            OnChangeCipherSpec(record[TlsRecordSizes.Header..]);
        else if (header.Type != TlsContentType.ApplicationData)
            OnContent(header.Type, record[TlsRecordSizes.Header..]);
        else if (_records.IsReadProtected)
            OnProtectedRecord(record);
        else if (!TrySkipEarlyData(record.Length))
            Fail(TlsError.Unexpected("The peer sent protected data before there were keys for it."));
        return true;
    }

    private void OnChangeCipherSpec(ReadOnlySpan<byte> payload)
    {
        // RFC 8446 §5: it "MUST simply [be dropped]" where it is the single byte 01, between the first ClientHello and the peer's
        // Finished; anything else is unexpected_message. §5.1: and it must not come between the parts of a message.
        bool expected = payload is [1] && _context.IsHelloDone && _joiner.IsEmpty;
        if (!expected || ++_idleRecords > MaxIdleRecords)
            Fail(TlsError.Unexpected("The peer sent a change_cipher_spec that may not come now."));
    }

    private void OnProtectedRecord(ReadOnlySpan<byte> record)
    {
        bool mayBeEarlyData = _context.EarlyDataBudget > 0;
        TlsOpenedRecord opened = _records.Open(record, mayBeEarlyData, out ReadOnlySpan<byte> content);
        if (opened.Status == TlsOpenStatus.Opened)
        {
            _context.EarlyDataBudget = 0;
            OnContent(opened.ContentType, content);
        }
        // RFC 8449 §4: a limit holds for records under keys that were made with it, so early data may be longer than the handshake's.
        else if (opened.Status is not (TlsOpenStatus.BadRecordMac or TlsOpenStatus.RecordOverflow) || !TrySkipEarlyData(record.Length))
        {
            // An alert, which the record layer has read already, or a record that it refused.
            OnOpened(opened);
        }
    }

    /// <summary>RFC 8446 §4.2.10: a server that rejected early data drops records that it cannot open, up to a bound.</summary>
    private bool TrySkipEarlyData(int recordLength)
    {
        if (_context.EarlyDataBudget < recordLength)
            return false;
        _context.EarlyDataBudget -= recordLength;
        return true;
    }

    private void OnContent(TlsContentType type, ReadOnlySpan<byte> content)
    {
        switch (type)
        {
            // RFC 8446 §5.1: no zero-length fragments of handshake or alert.
            case TlsContentType.Handshake when !content.IsEmpty:
                _joiner.Append(content);
                break;
            // RFC 8446 §5.1: nothing comes between the parts of a message.
            case TlsContentType.ApplicationData when _context.State.TakesEarlyData && _joiner.IsEmpty:
                OnEarlyData(content);
                break;
            case TlsContentType.Alert when !content.IsEmpty:
                OnAlert(content);
                break;
            default:
                Fail(TlsError.Unexpected($"The peer sent an empty record, or {type} during the handshake."));
                break;
        }
    }

    private void OnAlert(ReadOnlySpan<byte> content)
    {
        // RFC 8446 §5.1: an alert is alone in its record, and whole.
        if (content.Length != 2)
        {
            Fail(TlsError.Decode("The peer sent a malformed alert."));
            return;
        }
        // RFC 8446 §6: the level counts for nothing; close_notify and user_canceled end in an orderly way, all others are errors.
        switch ((TlsAlert)content[1])
        {
            case TlsAlert.CloseNotify:
                _peerClosed = true;
                break;
            case TlsAlert.UserCanceled when ++_idleRecords <= MaxIdleRecords:
                break;
            case TlsAlert.UserCanceled:
                Fail(TlsError.Unexpected("The peer sent one user_canceled after another."));
                break;
            case var alert:
                Fail(TlsError.Alerted(alert));
                break;
        }
    }
}
