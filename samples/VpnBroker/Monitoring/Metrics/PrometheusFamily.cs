using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace VpnBroker.Monitoring.Metrics;

/// <summary>An instrument's series, under the name that Prometheus knows it by.</summary>
internal sealed class PrometheusFamily
{
    private const string Total = "_total";

    private readonly string _name;
    private readonly string _unit;
    private readonly string _help;
    private readonly bool _isCounter;
    private readonly SortedDictionary<string, double> _series = new(StringComparer.Ordinal);

    /// <summary>Names a family after an instrument: dots become underscores, and the unit is a part of the name.</summary>
    public PrometheusFamily(Instrument instrument)
    {
        _unit = UnitOf(instrument.Unit);
        _name = Name(instrument.Name);
        if (_unit.Length != 0 && !_name.EndsWith("_" + _unit, StringComparison.Ordinal))
            _name += "_" + _unit;
        _help = instrument.Description ?? "";
        _isCounter = instrument is ObservableCounter<long> or ObservableCounter<double>;
    }

    /// <summary>Forgets the values of before.</summary>
    public void Clear() => _series.Clear();

    /// <summary>Adds a value; those of equal labels are summed up, since a series may be there once only.</summary>
    public void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string labels = Labels(tags);
        _series[labels] = _series.GetValueOrDefault(labels) + value;
    }

    /// <summary>Writes the family, if it has any series.</summary>
    /// <param name="text">Where to.</param>
    /// <param name="openMetrics">In OpenMetrics' form, else in that of version 0.0.4.</param>
    public void Write(StringBuilder text, bool openMetrics)
    {
        if (_series.Count == 0)
            return;
        string sample = _isCounter ? _name + Total : _name;
        // OpenMetrics describes the family, whose samples have the suffix; version 0.0.4 knows no families beside their samples.
        string family = openMetrics ? _name : sample;
        text.Append("# HELP ").Append(family).Append(' ').Append(Escape(_help, quotes: openMetrics)).Append('\n');
        text.Append("# TYPE ").Append(family).Append(_isCounter ? " counter\n" : " gauge\n");
        if (openMetrics && _unit.Length != 0)
            text.Append("# UNIT ").Append(family).Append(' ').Append(_unit).Append('\n');
        foreach ((string labels, double value) in _series)
            text.Append(sample).Append(labels).Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder("{");
        foreach ((string key, object? value) in tags)
        {
            text.Append(text.Length == 1 ? "" : ",").Append(Name(key)).Append("=\"");
            text.Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", quotes: true)).Append('"');
        }
        return text.Append('}').ToString();
    }

    /// <summary>Escapes as both formats want: backslashes and line feeds, and quotation marks within quotation marks.</summary>
    private static string Escape(string value, bool quotes)
    {
        string escaped = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped;
    }

    private static string Name(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    /// <summary>Units of UCUM as Prometheus writes them; what is in braces says what is counted and is no unit.</summary>
    private static string UnitOf(string? unit) => unit switch
    {
        "By" => "bytes",
        "s" => "seconds",
        _ => "",
    };
}
