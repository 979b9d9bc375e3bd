namespace VpnBroker.Sessions;

/// <summary>
/// Which lcore a new session goes to: the one that is expected to have the most time left, by what was measured of each; where that is
/// about the same, the one with the fewest sessions. Not thread-safe.
/// </summary>
/// <param name="lcores">How many lcores there are.</param>
internal sealed class LcoreChoice(int lcores)
{
    /// <summary>Shares of an lcore's time that are about the same: less is noise.</summary>
    private const double Same = 0.05;

    /// <summary>How much of a new measurement counts beside those before.</summary>
    private const double Weight = 0.25;

    private readonly double[] _busy = new double[lcores];
    private readonly int[] _sessions = new int[lcores];
    private readonly int[] _since = new int[lcores];

    /// <summary>Sessions of each lcore.</summary>
    public IReadOnlyList<int> Sessions => _sessions;

    /// <summary>Notes what share of its time an lcore works, 0 to 1: what has been placed there is in it by now.</summary>
    public void Measure(int lcore, double busy)
    {
        if ((uint)lcore >= (uint)lcores || !(busy >= 0))
            return;
        _busy[lcore] += Weight * (Math.Min(busy, 1) - _busy[lcore]);
        _since[lcore] = 0;
    }

    /// <summary>Chooses an lcore for a session, and counts it there.</summary>
    /// <param name="hasRoom">Whether an lcore can take it.</param>
    /// <returns>The lcore, or -1 when none can.</returns>
    public int Take(Func<int, bool> hasRoom)
    {
        double least = double.PositiveInfinity;
        for (int lcore = 0; lcore < lcores; lcore++)
        {
            if (hasRoom(lcore))
                least = Math.Min(least, Expected(lcore));
        }
        int best = -1;
        for (int lcore = 0; lcore < lcores; lcore++)
        {
            if (hasRoom(lcore) && Expected(lcore) <= least + Same && (best < 0 || _sessions[lcore] < _sessions[best]))
                best = lcore;
        }
        if (best < 0)
            return -1;
        _sessions[best]++;
        _since[best]++;
        return best;
    }

    /// <summary>A session has ended.</summary>
    public void Release(int lcore)
    {
        _sessions[lcore]--;
        _since[lcore] = Math.Max(0, _since[lcore] - 1);
    }

    /// <summary>What was measured, and for each session since then what sessions cost on the average.</summary>
    private double Expected(int lcore) => _busy[lcore] + (_since[lcore] * _busy.Sum() / Math.Max(1, _sessions.Sum()));
}
