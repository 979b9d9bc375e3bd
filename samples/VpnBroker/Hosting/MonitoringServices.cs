using Microsoft.Extensions.Logging;
using VpnBroker.Configuration;
using VpnBroker.Monitoring;
using VpnBroker.Monitoring.Metrics;
using VpnBroker.Status;
using VpnBroker.Web;

namespace VpnBroker.Hosting;

/// <summary>What shows a running broker to people and programs: rates, the meter, Prometheus' endpoint, OpenTelemetry's push, the page.</summary>
internal sealed class MonitoringServices : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly BrokerMeter _meter;
    private PrometheusText? _prometheus;
    private IDisposable? _push;
    private HttpEndpoint? _metrics;
    private HttpEndpoint? _web;
    private Task _sampling = Task.CompletedTask;

    private MonitoringServices(BrokerConfig config, Func<bool, Task<StatusReport>> read, TimeProvider clock)
    {
        _meter = new BrokerMeter(config.Metrics.Users);
        Rates = new RateSampler(read, clock) { Taken = _meter.Take };
    }

    /// <summary>The readings of each second.</summary>
    public RateSampler Rates { get; }

    /// <summary>Starts what the configuration wants.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="read">Reads the counters; with the sessions or without.</param>
    /// <param name="flows">Reads the sessions inside of tunnels.</param>
    /// <param name="clock">The time.</param>
    /// <param name="loggers">The log.</param>
    /// <exception cref="Listening.ListenException">An endpoint cannot be listened on.</exception>
    public static async Task<MonitoringServices> StartAsync(
        BrokerConfig config, Func<bool, Task<StatusReport>> read, Func<FlowsRequest, Task<FlowsReport>> flows, TimeProvider clock, ILoggerFactory loggers)
    {
        var services = new MonitoringServices(config, read, clock);
        try
        {
            await services.StartAsync(config, clock, loggers, async () => services.Rates.WithRates(await read(true)), flows);
            return services;
        }
        catch
        {
            await services.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops everything; nothing is read any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        if (_web is not null)
            await _web.DisposeAsync();
        if (_metrics is not null)
            await _metrics.DisposeAsync();
        await _sampling;
        _prometheus?.Dispose();
        _push?.Dispose();
        _meter.Dispose();
        _stop.Dispose();
    }

    private async Task StartAsync(
        BrokerConfig config, TimeProvider clock, ILoggerFactory loggers, Func<Task<StatusReport>> users, Func<FlowsRequest, Task<FlowsReport>> flows)
    {
        if (config.Metrics.Listen is { } metrics)
        {
            _prometheus = new PrometheusText(_meter.Meter);
            var pages = new Dictionary<string, HttpPage>(StringComparer.Ordinal)
            {
                [MetricsPage.Path] = context => MetricsPage.AnswerAsync(context, _prometheus),
            };
            _metrics = await HttpEndpoint.StartAsync(metrics, config.Metrics.Hosts, pages, "the metrics", loggers);
        }
        if (config.Metrics.Otlp is { } collector)
            _push = OtlpPush.Start(collector);
        if (config.Web is { } web)
        {
            var api = new WebApi(Rates, config.Listen is null ? null : users, config.Flows.Enabled ? flows : null, clock);
            _web = await HttpEndpoint.StartAsync(web.Listen, [], WebFiles.Load().Concat(api.Pages).ToDictionary(), "the page", loggers);
        }
        _sampling = SampleAsync();
    }

    private async Task SampleAsync()
    {
        try
        {
            await Rates.RunAsync(_stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or InvalidOperationException)
        {
            // This is stopping, or the data plane is.
        }
    }
}
