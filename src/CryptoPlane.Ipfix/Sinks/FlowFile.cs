using CryptoPlane.Ipfix.Export;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>
/// A sequence of files as the exporter's thread sees it: bytes are put into pieces, pieces go to the writer. Says when the next file is due.
/// </summary>
internal sealed class FlowFile(FlowFileOptions options, FlowFileWriter writer) : IDisposable
{
    private readonly SinkCounters _counters = new();
    private int _piece = -1, _length, _messages, _seenFailures;
    private bool _isFirst;
    private FlowTotals _flows;
    private long _pieceUnix, _pieceStarted, _fileStarted, _fileSize, _retryAt = long.MinValue;

    /// <summary>Whether a file is open; if not, <see cref="TryBegin"/> opens one.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>Whether the file has reached its size or age.</summary>
    public bool IsDue(FlowTime now) =>
        IsOpen && (_fileSize >= options.MaximumSize || now.Monotonic - _fileStarted >= options.MaximumAge);

    /// <summary>Why the last file could not be written; null when none has failed.</summary>
    public string? Failure => writer.Failure;

    /// <summary>The counters of both threads.</summary>
    public FlowSinkStatistics Statistics
    {
        get
        {
            FlowSinkStatistics here = _counters.Snapshot, there = writer.Statistics;
            long dropped = here.Dropped + there.Dropped;
            return there with
            {
                Dropped = dropped,
                DroppedPackets = here.DroppedPackets + there.DroppedPackets,
                DroppedOctets = here.DroppedOctets + there.DroppedOctets,
                FirstDrop = here.FirstDrop == 0 || there.FirstDrop == 0 ? here.FirstDrop + there.FirstDrop : Math.Min(here.FirstDrop, there.FirstDrop),
                LastDrop = Math.Max(here.LastDrop, there.LastDrop),
                Waiting = Math.Max(0, here.Waiting + here.Dropped - there.Records - dropped),
            };
        }
    }

    /// <summary>Counts a record that the sink was given.</summary>
    public void Take() => _counters.Take();

    /// <summary>Counts records that are not written.</summary>
    public void Drop(in FlowTotals flows, FlowTime now) => _counters.Drop(flows, now.Unix);

    /// <summary>Begins a file.</summary>
    /// <param name="room">Bytes that must find room at once.</param>
    /// <param name="now">The time.</param>
    /// <returns>False when the disk has failed a moment ago, or has not taken what it should.</returns>
    public bool TryBegin(int room, FlowTime now)
    {
        if (now.Monotonic < _retryAt || !HasRoom(room))
            return false;
        _seenFailures = writer.Failures;
        IsOpen = _isFirst = true;
        _fileStarted = now.Monotonic;
        _fileSize = 0;
        return true;
    }

    /// <summary>Whether so many bytes would be taken now.</summary>
    public bool HasRoom(int bytes)
    {
        if (_piece >= 0 && FlowFilePiece.Size - _length >= bytes)
            return true;
        SubmitPiece(isLast: false);
        if (_piece < 0)
            _piece = writer.Take();
        return _piece >= 0;
    }

    /// <summary>Appends a whole message or line.</summary>
    /// <returns>False when there was no room after all.</returns>
    public bool TryAppend(ReadOnlySpan<byte> bytes, int messages, in FlowTotals flows, FlowTime now)
    {
        if (!HasRoom(bytes.Length))
            return false;
        if (_length == 0)
            (_pieceUnix, _pieceStarted) = (now.Unix, now.Monotonic);
        bytes.CopyTo(writer.BytesOf(_piece).AsSpan(_length));
        _length += bytes.Length;
        _fileSize += bytes.Length;
        _messages += messages;
        _flows = new FlowTotals(_flows.Records + flows.Records, _flows.Packets + flows.Packets, _flows.Octets + flows.Octets);
        return true;
    }

    /// <summary>Sends what waits to the disk when it is time, and sees whether the disk has failed.</summary>
    /// <returns>False when the file could not be written: it is closed.</returns>
    public bool Tick(FlowTime now)
    {
        if (IsOpen && writer.Failures != _seenFailures)
        {
            // The writer throws the rest of this file away, and waits for the first piece of another.
            SubmitPiece(isLast: false);
            IsOpen = false;
            _retryAt = now.Monotonic + options.RetryPeriod;
            return false;
        }
        if (_length != 0 && now.Monotonic - _pieceStarted >= options.FlushPeriod)
            SubmitPiece(isLast: false);
        return true;
    }

    /// <summary>Completes the file.</summary>
    public void End()
    {
        if (!IsOpen)
            return;
        IsOpen = false;
        // A file in which nothing is was never made.
        if (!_isFirst || _length != 0)
            SubmitPiece(isLast: true);
    }

    /// <summary>Waits for the disk, for some seconds at most.</summary>
    public void Close()
    {
        End();
        writer.Stop(TimeSpan.FromSeconds(3));
    }

    /// <inheritdoc/>
    public void Dispose() => writer.Dispose();

    private void SubmitPiece(bool isLast)
    {
        // An empty piece is sent where the file ends: its name is due.
        if (_piece < 0 && isLast)
            _piece = writer.Take();
        if (_piece < 0 || (_length == 0 && !isLast))
            return;
        writer.Submit(new FlowFilePiece(_piece, _length, _messages, _flows, _pieceUnix, _isFirst, isLast));
        _piece = -1;
        _length = _messages = 0;
        _flows = default;
        _isFirst = false;
    }
}
