namespace VpnBroker.Monitoring;

/// <summary>The rates of the last ten minutes: one point per second, the oldest overwritten. Any thread may call it.</summary>
public sealed class RateHistory
{
    /// <summary>How many points are kept.</summary>
    public const int Capacity = 600;

    private readonly Lock _gate = new();
    private readonly RatePoint?[] _points = new RatePoint?[Capacity];
    private long _count;

    /// <summary>Adds the point of now.</summary>
    public void Add(RatePoint point)
    {
        lock (_gate)
            _points[_count++ % Capacity] = point;
    }

    /// <summary>The points behind a time, the oldest first.</summary>
    /// <param name="time">Unix milliseconds; 0 for all of them.</param>
    public IReadOnlyList<RatePoint> Since(long time)
    {
        var found = new List<RatePoint>();
        lock (_gate)
        {
            for (long i = Math.Max(0, _count - Capacity); i < _count; i++)
            {
                if (_points[i % Capacity] is { } point && point.Time > time)
                    found.Add(point);
            }
        }
        return found;
    }
}
