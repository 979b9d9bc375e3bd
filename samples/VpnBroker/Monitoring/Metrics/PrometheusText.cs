using System.Diagnostics.Metrics;
using System.Text;

namespace VpnBroker.Monitoring.Metrics;

/// <summary>A meter's observable instruments as text for Prometheus: exposition format 0.0.4, or OpenMetrics 1.0.</summary>
internal sealed class PrometheusText : IDisposable
{
    /// <summary>The media type of version 0.0.4.</summary>
    public const string PlainType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>OpenMetrics' media type.</summary>
    public const string OpenMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    private readonly Lock _gate = new();
    private readonly MeterListener _listener = new();
    private readonly List<PrometheusFamily> _families = [];

    /// <summary>Listens to a meter.</summary>
    public PrometheusText(Meter meter)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (!ReferenceEquals(instrument.Meter, meter) || !instrument.IsObservable)
                return;
            var family = new PrometheusFamily(instrument);
            lock (_gate)
                _families.Add(family);
            listener.EnableMeasurementEvents(instrument, family);
        };
        // Measurements are taken while Write holds the gate, on its thread.
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((PrometheusFamily)family!).Add(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((PrometheusFamily)family!).Add(value, tags));
        _listener.Start();
    }

    /// <summary>Writes what the instruments say now.</summary>
    /// <param name="openMetrics">In OpenMetrics' form, else in that of version 0.0.4.</param>
    public string Write(bool openMetrics)
    {
        var text = new StringBuilder();
        lock (_gate)
        {
            foreach (PrometheusFamily family in _families)
                family.Clear();
            _listener.RecordObservableInstruments();
            foreach (PrometheusFamily family in _families)
                family.Write(text, openMetrics);
        }
        return (openMetrics ? text.Append("# EOF\n") : text).ToString();
    }

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
