using VpnBroker.Status;

namespace VpnBroker.Monitoring;

/// <summary>
/// Rates of users' tunnels. There may be many thousands: a reading keeps five numbers of each and no object, so that the garbage collector
/// has nothing to walk, and the more there are the less often they are read.
/// </summary>
internal sealed class UserRates
{
    /// <summary>Sessions that may be read per second.</summary>
    public const int SessionsPerSecond = 1000;

    private Reading _earlier = new();
    private Reading _latest = new();

    /// <summary>Whether another reading is due.</summary>
    /// <param name="uptime">Seconds since the broker's start.</param>
    /// <param name="sessions">How many sessions there are.</param>
    public bool IsDue(double uptime, int sessions) => uptime - _latest.Uptime > Math.Max(1, (double)sessions / SessionsPerSecond) - 0.5;

    /// <summary>Takes a report that lists the sessions as the latest reading.</summary>
    public void Take(StatusReport report)
    {
        (_earlier, _latest) = (_latest, _earlier);
        _latest.Counters.Clear();
        _latest.Uptime = report.UptimeSeconds;
        foreach (SessionReport user in report.Users)
            _latest.Counters[user.Session] = new Counted(user.Traffic);
    }

    /// <summary>The report's sessions with their rates.</summary>
    public IReadOnlyList<SessionReport> Apply(StatusReport report)
    {
        Reading before = report.UptimeSeconds - _latest.Uptime >= RateCalculator.MinimumSeconds ? _latest : _earlier;
        double seconds = report.UptimeSeconds - before.Uptime;
        if (seconds < RateCalculator.MinimumSeconds || before.Uptime < 0)
            return report.Users;
        return [.. report.Users.Select(user => user with
        {
            Traffic = user.Traffic with
            {
                Rate = RateCalculator.Rate(before.Counters.GetValueOrDefault(user.Session).Report, user.Traffic, seconds),
            },
        })];
    }

    private sealed class Reading
    {
        public double Uptime { get; set; } = -1;

        public Dictionary<ulong, Counted> Counters { get; } = [];
    }

    private readonly struct Counted(TrafficReport traffic)
    {
        private readonly ulong _receivedPackets = traffic.ReceivedPackets;
        private readonly ulong _receivedBytes = traffic.ReceivedBytes;
        private readonly ulong _sentPackets = traffic.SentPackets;
        private readonly ulong _sentBytes = traffic.SentBytes;

        public TrafficReport Report => new("", _receivedPackets, _receivedBytes, _sentPackets, _sentBytes);
    }
}
