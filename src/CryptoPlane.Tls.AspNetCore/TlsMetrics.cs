using System.Diagnostics;
using System.Diagnostics.Metrics;
using CryptoPlane.Tls.Streams;

namespace CryptoPlane.Tls.AspNetCore;

/// <summary>Instruments of the meter <c>CryptoPlane</c>. Attributes are OpenTelemetry's, as far as it has them.</summary>
internal sealed class TlsMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "CryptoPlane";

    private static readonly Lazy<TlsMetrics> s_withoutFactory = new(() => new TlsMetrics(new Meter(MeterName)));

    private readonly Counter<long> _handshakes;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<long> _connections;

    private TlsMetrics(Meter meter)
    {
        _handshakes = meter.CreateCounter<long>("cryptoplane.tls.handshakes", "{handshake}", "Handshakes that were completed, or failed (error.type).");
        _duration = meter.CreateHistogram<double>("cryptoplane.tls.handshake.duration", "s", "How long handshakes took, the client's network included.");
        _connections = meter.CreateUpDownCounter<long>("cryptoplane.tls.connections", "{connection}", "Connections behind their handshakes.");
    }

    /// <summary>The instruments of an application, or of the process where it has no factory.</summary>
    public static TlsMetrics Create(IMeterFactory? factory) => factory is null ? s_withoutFactory.Value : new TlsMetrics(factory.Create(MeterName));

    /// <summary>A handshake was completed.</summary>
    public void Completed(CryptoPlaneSslStream stream, TimeSpan elapsed)
    {
        TagList tags = new()
        {
            { "tls.cipher", stream.NegotiatedCipherSuite.ToString() },
            { "tls.curve", stream.NegotiatedGroup.ToString() },
            { "tls.next_protocol", stream.NegotiatedApplicationProtocol.ToString() },
            { "tls.resumed", stream.IsResumed },
        };
        _handshakes.Add(1, tags);
        _duration.Record(elapsed.TotalSeconds);
        _connections.Add(1);
    }

    /// <summary>A handshake failed.</summary>
    /// <param name="reason">One of a few words.</param>
    /// <param name="elapsed">How long it had taken.</param>
    public void Failed(string reason, TimeSpan elapsed)
    {
        var tag = new KeyValuePair<string, object?>("error.type", reason);
        _handshakes.Add(1, tag);
        _duration.Record(elapsed.TotalSeconds, tag);
    }

    /// <summary>A connection has ended.</summary>
    public void Ended() => _connections.Add(-1);
}
