using CryptoPlane.Tls.Handshake;
using CryptoPlane.Tls.Record;

namespace CryptoPlane.Tls;

/// <summary>Reading in bursts, for an application with room for more than a record.</summary>
public abstract partial class TlsConnection
{
    /// <summary>
    /// As <see cref="Read"/>, but for as many records as lie whole in the source and whose data has room: they are opened in bursts. What ends
    /// the connection behind some data is said by the next call.
    /// </summary>
    /// <param name="source">Received bytes.</param>
    /// <param name="destination">Takes the data: give at least <see cref="MaxPlaintextSize"/> bytes, which is enough for every record.</param>
    /// <param name="bytesConsumed">How many bytes of the source are done with.</param>
    /// <param name="bytesWritten">How many bytes of data there are.</param>
    /// <returns><see cref="TlsStatus.Complete"/> with data; the others as <see cref="Read"/>, without.</returns>
    /// <exception cref="InvalidOperationException">The handshake is not complete, or the connection was detached.</exception>
    public TlsStatus ReadBurst(ReadOnlySpan<byte> source, Span<byte> destination, out int bytesConsumed, out int bytesWritten)
    {
        bytesConsumed = bytesWritten = 0;
        TlsStatus status;
        do
        {
            ReadOnlySpan<byte> rest = source[bytesConsumed..];
            Span<byte> room = destination[bytesWritten..];
            int consumed = MeasureBurst(rest, room.Length), written;
            status = consumed > 0 ? OpenBurst(rest[..consumed], room, out written) : Read(rest, room, out consumed, out written);
            bytesConsumed += consumed;
            bytesWritten += written;
        }
        while (status == TlsStatus.Complete);
        return bytesWritten > 0 ? TlsStatus.Complete : status;
    }

    /// <returns>The length of at least two whole records that may be opened at once; 0 if there are none, or not in this state.</returns>
    private int MeasureBurst(ReadOnlySpan<byte> source, int room)
    {
        if (_disposed || _detached || _peerClosed || !IsHandshakeComplete || _context.Work is not null || _records.GivesMessages)
            return 0;
        int length = 0, count = 0;
        while (count < ControlWorkspace.RecordsPerBurst)
        {
            TlsRecordHeaderStatus found = TlsRecordHeader.TryParse(source[length..], isProtected: true, out TlsRecordHeader header);
            // Whatever is wrong with a record is said when its turn comes.
            if (found != TlsRecordHeaderStatus.Complete || header.Type != TlsContentType.ApplicationData)
                break;
            room -= Math.Min(header.PayloadLength + TlsRecordSizes.Header - TlsRecordSizes.Overhead, MaxPlaintextSize);
            if (room < 0 || length + header.RecordLength > ControlWorkspace.PlaintextSize)
                break;
            length += header.RecordLength;
            count++;
        }
        return count > 1 ? length : 0;
    }

    private unsafe TlsStatus OpenBurst(ReadOnlySpan<byte> records, Span<byte> destination, out int written)
    {
        written = 0;
        TlsRecordReader opened = _records.OpenBurst(records);
        for (int i = 0; i < opened.Count && Error is null && !_peerClosed; i++)
        {
            if (!OnOpened(opened[i]))
                continue;
            opened[i].Content.CopyTo(destination[written..]);
            written += opened[i].Length;
        }
        opened.Clear();
        return TlsStatus.Complete;
    }
}
