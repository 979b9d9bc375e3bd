using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>Writes files of JSON lines: one object per record and line.</summary>
public sealed class JsonLinesSink : FlowSink
{
    internal const string Ending = ".jsonl";

    private readonly JsonFlowLine _line = new();
    private readonly FlowFile _file;
    private string _state = "waiting";

    /// <summary>Makes one; a file is made with the first record.</summary>
    /// <param name="name">What it is called in reports.</param>
    /// <param name="files">Where files lie, and when the next one begins.</param>
    public JsonLinesSink(string name, FlowFileOptions files)
        : this(name, files, new FlowFileWriter(files, Ending, name))
    {
    }

    internal JsonLinesSink(string name, FlowFileOptions files, FlowFileWriter writer)
        : base(name) => _file = new FlowFile(files, writer);

    /// <inheritdoc/>
    public override FlowSinkStatistics Statistics => _file.Statistics;

    /// <inheritdoc/>
    public override string State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public override void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
    {
        _file.Take();
        if (_file.IsDue(now))
            _file.End();
        ReadOnlySpan<byte> line = _line.Write(flow, names);
        if (!_file.IsOpen && _file.TryBegin(line.Length, now))
            Volatile.Write(ref _state, "writing");
        FlowTotals one = default(FlowTotals).With(flow);
        if (!_file.IsOpen || !_file.TryAppend(line, messages: 0, one, now))
            _file.Drop(one, now);
    }

    /// <inheritdoc/>
    public override void Tick(FlowTime now)
    {
        if (!_file.Tick(now))
        {
            Volatile.Write(ref _state, "failing");
            Notice?.Invoke($"a file cannot be written: {_file.Failure}");
        }
        if (_file.IsDue(now))
            _file.End();
    }

    /// <inheritdoc/>
    public override void Close(FlowTime now) => _file.Close();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        _line.Dispose();
    }
}
