using System.Text;
using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls;

/// <summary>Early data (0-RTT, RFC 8446 §2.3), which only a server's and a client's own methods give access to.</summary>
public abstract partial class TlsConnection
{
    private readonly EarlyDataBuffer _earlyData = new();

    /// <summary>What became of early data.</summary>
    public TlsEarlyDataStatus EarlyDataStatus => _context.EarlyDataStatus;

    /// <summary>
    /// Whether <see cref="Write"/> may be called: the handshake is complete; or this is a server that has accepted early data and sent its
    /// Finished, so that it answers without waiting for the client's (RFC 8446 §4.4.4). Until that comes, nobody knows that the client is
    /// there: the answer may go to one who repeats what he has recorded, and cannot read it.
    /// </summary>
    public bool CanWrite => Error is null && !_detached && !_closed
        && (_context.State.IsConnected || (_context.State.AwaitsFinished && _context.EarlyDataStatus == TlsEarlyDataStatus.Accepted));

    /// <summary>
    /// Exports keying material out of the ClientHello alone (RFC 8446 §7.5's early exporter), for a protocol that carries early data. Others
    /// may send the ClientHello again, and then export the same.
    /// </summary>
    /// <param name="label">Says what it is for, in ASCII.</param>
    /// <param name="context">Of any length; none and an empty one are the same.</param>
    /// <param name="output">Filled.</param>
    /// <exception cref="InvalidOperationException">Early data was not offered yet, or it was not accepted.</exception>
    public void ExportEarlyKeyingMaterial(string label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        ArgumentException.ThrowIfNullOrEmpty(label);
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_context.EarlyExporter is not { } exporter)
            throw new InvalidOperationException("Early keying material is there with early data, from the ClientHello on, unless it is rejected.");
        exporter.Export(Encoding.ASCII.GetBytes(label), context, output);
    }

    /// <summary>Gives out early data that has come.</summary>
    private protected int TakeEarlyData(Span<byte> destination)
    {
        CheckUsable();
        return _earlyData.MoveTo(destination);
    }

    /// <summary>Puts early data into records, behind the ClientHello.</summary>
    private protected TlsStatus SendEarlyData(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten)
    {
        bytesConsumed = bytesWritten = 0;
        CheckUsable();
        if (Error is not null)
            return Flush(destination, out bytesWritten);
        if (!_context.IsEarlyDataOpen)
            throw new InvalidOperationException("Early data can be sent from the ClientHello to the server's Finished, unless it is rejected.");
        // RFC 8446 §4.6.1: max_early_data_size counts application data, and neither padding nor protection.
        int total = (int)Math.Min(source.Length, _context.EarlyDataRemaining);
        while (true)
        {
            TlsStatus flushed = Flush(destination[bytesWritten..], out int moved);
            bytesWritten += moved;
            if (flushed != TlsStatus.Complete || bytesConsumed == total)
                return flushed;
            int length = Math.Min(Math.Min(total - bytesConsumed, _records.MaxContent), destination.Length - bytesWritten - TlsRecordSizes.Overhead);
            if (length <= 0)
                return TlsStatus.DestinationTooSmall;
            TlsRecordStatus status = _records.TrySeal(
                TlsContentType.ApplicationData, source.Slice(bytesConsumed, length), destination[bytesWritten..], out int recordLength);
            if (status != TlsRecordStatus.Added)
            {
                // There is no KeyUpdate for early data.
                Fail(TlsError.Local($"The record layer refused to seal early data: {status}."));
                continue;
            }
            bytesConsumed += length;
            bytesWritten += recordLength;
            _context.EarlyDataRemaining -= length;
        }
    }

    private void OnEarlyData(ReadOnlySpan<byte> content)
    {
        if (content.IsEmpty)
        {
            if (++_idleRecords > MaxIdleRecords)
                Fail(TlsError.Unexpected("The client sent one empty record of early data after another."));
        }
        // RFC 8446 §4.6.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD terminate the connection with an
        // "unexpected_message" alert."
        else if (content.Length > _context.EarlyDataRemaining)
        {
            Fail(TlsError.Unexpected("The client sent more early data than its ticket allows."));
        }
        else
        {
            _context.EarlyDataRemaining -= content.Length;
            _earlyData.Put(content);
        }
    }
}
