using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Messages;
using CryptoPlane.Ipfix.Names;

namespace CryptoPlane.Ipfix.Sinks;

/// <summary>
/// Writes IPFIX files (RFC 5655): a file is a sequence of messages, begins with its templates, and has all that is needed to read it.
/// </summary>
public sealed class IpfixFileSink : FlowSink, IIpfixOutput
{
    private readonly IpfixSession _session;
    private readonly FlowFile _file;
    private readonly int _reserve;
    private FlowTime _now;
    private string _state = "waiting";

    /// <summary>Makes one; a file is made with the first record.</summary>
    /// <param name="name">What it is called in reports.</param>
    /// <param name="files">Where files lie, and when the next one begins.</param>
    /// <param name="session">How messages are made.</param>
    public IpfixFileSink(string name, FlowFileOptions files, IpfixSessionOptions session)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentNullException.ThrowIfNull(session);
        _session = new IpfixSession(session with { TemplateRefresh = 0 }, this);
        // A record may finish a message, and its names another one.
        _reserve = (2 * session.MessageSize) + (8 * IpfixMessage.MaximumRecord);
        _file = new FlowFile(files, new FlowFileWriter(files, ".ipfix", name));
    }

    /// <inheritdoc/>
    public override FlowSinkStatistics Statistics => _file.Statistics;

    /// <summary>What a file says of itself: its own records, also those that are not on the disk yet, and what was dropped so far.</summary>
    private FlowSinkStatistics StatisticsOfFile
    {
        get
        {
            (long messages, long records, long octets) = _session.Made;
            return Statistics with { Messages = messages, Records = records, Octets = octets };
        }
    }

    /// <inheritdoc/>
    public override string State => Volatile.Read(ref _state);

    /// <inheritdoc/>
    public override void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
    {
        _now = now;
        _file.Take();
        if (_file.IsDue(now))
            EndFile();
        if (!_file.IsOpen)
            BeginFile();
        if (_file.IsOpen && _file.HasRoom(_reserve))
            _session.Add(flow, names, now);
        else
            _file.Drop(default(FlowTotals).With(flow), now);
    }

    /// <inheritdoc/>
    public override void Tick(FlowTime now)
    {
        _now = now;
        if (!_file.Tick(now))
        {
            Volatile.Write(ref _state, "failing");
            Notice?.Invoke($"a file cannot be written: {_file.Failure}");
        }
        if (_file.IsDue(now))
            EndFile();
        if (_file.IsOpen && _file.HasRoom(_reserve))
            _session.Tick(now, StatisticsOfFile, Rings);
    }

    /// <inheritdoc/>
    public override void Close(FlowTime now)
    {
        _now = now;
        if (_file.IsOpen)
            EndFile();
        _file.Close();
    }

    /// <inheritdoc/>
    void IIpfixOutput.Write(ReadOnlySpan<byte> message, in FlowTotals flows)
    {
        if (!_file.TryAppend(message, messages: 1, flows, _now))
            _file.Drop(flows, _now);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _file.Dispose();

    private void BeginFile()
    {
        if (!_file.TryBegin(_reserve, _now))
            return;
        // What was in a message when the disk failed went with its file.
        _file.Drop(_session.Start(_now), _now);
        Volatile.Write(ref _state, "writing");
    }

    private void EndFile()
    {
        _session.Flush(_now);
        _session.End(_now, StatisticsOfFile, Rings);
        _file.End();
    }
}
