using System.Diagnostics;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What an lcore does with packets, one after the other.</summary>
internal enum Stage
{
    /// <summary>Taking packets from ports, rings and connections.</summary>
    Receive,

    /// <summary>Finding the SAs of ESP packets, and the checks before opening.</summary>
    FindSa,

    /// <summary>The AEAD burst that opens.</summary>
    Open,

    /// <summary>Windows, trailers and inner headers, routes, hop limits.</summary>
    Route,

    /// <summary>ESP headers, trailers and outer headers; TLS records.</summary>
    Frame,

    /// <summary>The AEAD burst that seals.</summary>
    Seal,

    /// <summary>Giving packets to ports and connections.</summary>
    Transmit,
}

/// <summary>Where the time of an lcore goes: a stage's work adds to its account, a whole burst at a time.</summary>
internal sealed class StageClock
{
    private readonly long[] _ticks = new long[(int)Stage.Transmit + 1];
    private long _last = Stopwatch.GetTimestamp();

    /// <summary>Stopwatch ticks of a stage.</summary>
    public long this[Stage stage] => _ticks[(int)stage];

    /// <summary>What has passed since the last call was this stage's work.</summary>
    public void Charge(Stage stage)
    {
        long now = Stopwatch.GetTimestamp();
        _ticks[(int)stage] += now - _last;
        _last = now;
    }

    /// <summary>What has passed since the last call was nobody's.</summary>
    public void Skip() => _last = Stopwatch.GetTimestamp();

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_ticks);
        Skip();
    }
}
