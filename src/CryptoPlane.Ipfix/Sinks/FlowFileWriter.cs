using CryptoPlane.Ipfix.Export;
using CryptoPlane.Lcores;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>
/// The thread of a file sink: writes the pieces that the exporter has put together, so that a slow disk holds up nobody else. A file has
/// the ending <c>.part</c> until it is complete.
/// </summary>
/// <remarks>
/// Pieces go back and forth through two rings. Of a file that cannot be written the rest is thrown away, up to the next one's first piece.
/// </remarks>
internal class FlowFileWriter : IDisposable
{
    private const string PartEnding = ".part";

    private readonly FlowFileOptions _options;
    private readonly string _ending;
    private readonly SpscRing<FlowFilePiece> _full;
    private readonly SpscRing<int> _free;
    private readonly byte[][] _pieces;
    private readonly AutoResetEvent _work = new(false);
    private readonly Thread _thread;
    private readonly SinkCounters _counters = new();
    private FileStream? _file;
    private long _files, _number;
    private int _failures;
    private bool _discarding = true, _disposed;
    private volatile bool _stop;

    /// <summary>Starts the thread.</summary>
    public FlowFileWriter(FlowFileOptions options, string ending, string name)
    {
        _options = options;
        _ending = ending;
        int count = Math.Max(4, options.Buffer / FlowFilePiece.Size);
        _pieces = [.. Enumerable.Range(0, count).Select(_ => new byte[FlowFilePiece.Size])];
        int capacity = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count);
        _full = new SpscRing<FlowFilePiece>(capacity);
        _free = new SpscRing<int>(capacity);
        for (int i = 0; i < count; i++)
            _free.TryEnqueue(i);
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>What was written, and what was thrown away because it could not be.</summary>
    public FlowSinkStatistics Statistics => _counters.Snapshot with { Files = Volatile.Read(ref _files) };

    /// <summary>How often a file could not be written: the exporter begins a new one when this has changed.</summary>
    public int Failures => Volatile.Read(ref _failures);

    /// <summary>Why, the last time.</summary>
    public string? Failure { get; private set; }

    /// <summary>Takes an empty piece. Exporter's thread.</summary>
    /// <returns>-1 when all are full: the disk is slow.</returns>
    public int Take() => _free.TryDequeue(out int piece) ? piece : -1;

    /// <summary>A piece's bytes.</summary>
    public byte[] BytesOf(int piece) => _pieces[piece];

    /// <summary>Hands a piece to the thread. Exporter's thread.</summary>
    public void Submit(in FlowFilePiece piece)
    {
        _full.TryEnqueue(piece); // Never full: it has room for every piece there is.
        _work.Set();
    }

    /// <summary>Waits until everything is written, but not for long where the disk does not answer.</summary>
    /// <returns>False when the thread still works.</returns>
    public bool Stop(TimeSpan timeout)
    {
        _stop = true;
        _work.Set();
        return _thread.Join(timeout);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (_disposed)
            return;
        _disposed = true;
        // A thread that hangs in the disk keeps its memory: it would write to it.
        if (!Stop(TimeSpan.FromSeconds(5)))
            return;
        _full.Dispose();
        _free.Dispose();
        _work.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            bool stop = _stop;
            while (_full.TryDequeue(out FlowFilePiece piece))
            {
                Write(piece);
                _free.TryEnqueue(piece.Index);
            }
            if (stop)
                break;
            _work.WaitOne();
        }
        if (_file is not null)
            Guard(default, Complete);
    }

    private void Write(in FlowFilePiece piece)
    {
        if (piece.IsFirst)
            _discarding = false;
        if (_discarding)
        {
            _counters.Drop(piece.Flows, piece.Time);
            return;
        }
        FlowFilePiece copy = piece;
        bool written = Guard(piece, () =>
        {
            if (copy.IsFirst)
                Open(copy.Time);
            _file!.Write(_pieces[copy.Index].AsSpan(0, copy.Length));
        });
        if (!written)
            return;
        _counters.Write(piece.Flows, piece.Messages, piece.Length);
        if (piece.IsLast)
            Guard(default, Complete);
    }

    private void Open(long unix)
    {
        if (_file is not null)
            Complete();
        Directory.CreateDirectory(_options.Directory);
        string stem = Path.Combine(_options.Directory, $"{_options.Prefix}-{UtcText.ForFileName(unix)}");
        string path;
        do
        {
            path = $"{stem}-{++_number:D6}{_ending}";
        }
        while (File.Exists(path) || File.Exists(path + PartEnding));
        _file = OpenFile(path + PartEnding);
    }

    /// <summary>Makes a file; a test's writer waits here, as a disk does that does not answer.</summary>
    protected virtual FileStream OpenFile(string path)
    {
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        // Who talked with whom is for the owner and the group alone.
        if (!OperatingSystem.IsWindows())
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        return new FileStream(path, how);
    }

    /// <summary>Gives the file its name when it is wholly on the disk, so that readers never find a part of one under it.</summary>
    private void Complete()
    {
        FileStream file = _file!;
        _file = null;
        using (file)
            file.Flush(flushToDisk: true);
        File.Move(file.Name, file.Name[..^PartEnding.Length]);
        Volatile.Write(ref _files, _files + 1);
        if (_options.Keep == 0)
            return;
        string[] complete = Directory.GetFiles(_options.Directory, $"{_options.Prefix}-????????T??????Z-*{_ending}");
        foreach (string old in complete.Order(StringComparer.Ordinal).SkipLast(_options.Keep))
            File.Delete(old);
    }

    private bool Guard(in FlowFilePiece piece, Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            _counters.Fail();
            _counters.Drop(piece.Flows, piece.Time);
            Failure = e.Message;
            _discarding = true;
            TryClose();
            Volatile.Write(ref _failures, _failures + 1);
            return false;
        }
    }

    private void TryClose()
    {
        try
        {
            _file?.Dispose();
        }
        catch (IOException)
        {
            // What is there of it stays, with the ending of a part.
        }
        _file = null;
    }
}
