using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Sessions;
using VpnBroker.Status;

namespace VpnBroker.Export;

/// <summary>The exporter's thread with the sinks of the configuration.</summary>
internal sealed partial class ExportService : IDisposable
{
    private const long Second = 1_000_000_000;

    private readonly IDataPlane _dataPlane;
    private readonly IReadOnlyList<FlowRecordRing> _rings;
    private readonly BrokerFlowNames _names;
    private readonly ILogger _logger;
    private readonly FlowExporter _exporter;
    private ExportConfig _config;
    private IReadOnlyList<(FlowSinkConfig Config, FlowSink Sink)> _sinks = [];

    private ExportService(BrokerConfig config, IDataPlane dataPlane, SessionTable? sessions, ILogger logger)
    {
        _dataPlane = dataPlane;
        _rings = dataPlane.FlowRecords;
        _names = new BrokerFlowNames(sessions);
        _names.Use(config);
        _logger = logger;
        _config = config.Export!;
        _sinks = [.. _config.Sinks.Select(sink => (sink, Make(sink, _config)))];
        _exporter = new FlowExporter(new FlowExporterOptions { Rings = _rings, Names = _names }, [.. _sinks.Select(sink => sink.Sink)]);
    }

    /// <summary>Starts to export what the data plane's lcores say.</summary>
    /// <param name="config">The configuration, which has an export section.</param>
    /// <param name="dataPlane">Whose rings are read; they are freed at the end.</param>
    /// <param name="sessions">The users, or null without any.</param>
    /// <param name="logger">The log.</param>
    public static async Task<ExportService> StartAsync(BrokerConfig config, IDataPlane dataPlane, SessionTable? sessions, ILogger logger)
    {
        var service = new ExportService(config, dataPlane, sessions, logger);
        await service.RefreshNamesAsync();
        LogStarted(logger, string.Join(", ", config.Export!.Sinks.Select(sink => $"{sink.Name} ({Describe(sink)})")));
        return service;
    }

    /// <summary>What is shown of it.</summary>
    public IReadOnlyList<ExportReport> Report() =>
    [
        .. _sinks.Select(pair =>
        {
            FlowSinkStatistics statistics = pair.Sink.Statistics;
            return new ExportReport(pair.Sink.Name, Describe(pair.Config), pair.Sink.State, statistics.Records, statistics.Messages, statistics.Octets,
                statistics.Dropped, statistics.Waiting, statistics.Errors, statistics.Reconnects, statistics.Files);
        }),
    ];

    /// <summary>Goes on with the sinks of another configuration; those of which nothing has changed stay as they are.</summary>
    public void Apply(BrokerConfig config)
    {
        ExportConfig after = config.Export!;
        bool sameForAll = after with { Sinks = [] } == _config with { Sinks = [] };
        Dictionary<FlowSinkConfig, FlowSink> old = sameForAll ? _sinks.ToDictionary(pair => pair.Config, pair => pair.Sink) : [];
        _names.Use(config);
        _sinks = [.. after.Sinks.Select(sink => (sink, old.GetValueOrDefault(sink) ?? Make(sink, after)))];
        _config = after;
        _exporter.Replace([.. _sinks.Select(pair => pair.Sink)]);
    }

    /// <summary>Asks the data plane what numbers stand for now. Called about once a second.</summary>
    public async Task RefreshNamesAsync()
    {
        try
        {
            _names.Use(await _dataPlane.GetFlowLabelsAsync());
        }
        catch (InvalidOperationException)
        {
            // The data plane is stopping: names of before do.
        }
    }

    /// <summary>Remembers the user of a session that is about to be forgotten, for its last records.</summary>
    public void Remember(Session session) => _names.Remember(session.Id, session.User);

    /// <summary>Exports what is there, closes the sinks, and frees the rings: the data plane has stopped.</summary>
    public void Dispose()
    {
        _exporter.Dispose();
        foreach (FlowRecordRing ring in _rings)
            ring.Dispose();
    }

    private FlowSink Make(FlowSinkConfig config, ExportConfig export)
    {
        var session = new IpfixSessionOptions
        {
            ObservationDomain = export.ObservationDomain,
            Enterprise = export.Enterprise,
            MessageSize = config.MessageBytes == 0 ? IpfixSessionOptions.MinimumMessageSize : config.MessageBytes,
            StartRecords = export.StartRecords,
            TemplateRefresh = export.TemplateRefreshSeconds * Second,
        };
        var files = new FlowFileOptions(config.Directory ?? "", config.Name)
        {
            MaximumSize = config.FileBytes,
            MaximumAge = config.FileSeconds * Second,
            Keep = config.Keep,
            Buffer = config.Buffer,
        };
        FlowSink sink = config.Kind switch
        {
            FlowSinkKind.Udp => new IpfixUdpSink(new IpfixUdpSinkOptions(config.Name, config.Collector!) { Session = session }),
            FlowSinkKind.Tcp => new IpfixTcpSink(new IpfixTcpSinkOptions(config.Name, config.Collector!) { Session = session, Buffer = config.Buffer }),
            FlowSinkKind.File => new IpfixFileSink(config.Name, files, session),
            _ => new JsonLinesSink(config.Name, files),
        };
        sink.Notice = notice => LogNotice(_logger, config.Name, notice);
        return sink;
    }

    private static string Describe(FlowSinkConfig sink) => sink.Kind switch
    {
        FlowSinkKind.Udp => $"udp {sink.Collector}",
        FlowSinkKind.Tcp => $"tcp {sink.Collector}",
        FlowSinkKind.File => $"file {sink.Directory}",
        _ => $"json {sink.Directory}",
    };

    [LoggerMessage(1, LogLevel.Information, "Flow records go to {Sinks}")]
    private static partial void LogStarted(ILogger logger, string sinks);

    [LoggerMessage(2, LogLevel.Warning, "Export {Sink}: {Notice}")]
    private static partial void LogNotice(ILogger logger, string sink, string notice);
}
