namespace VpnBroker.DataPlane.Inner;

/// <summary>A rate limit (RFC 4443 §2.4 f): so many at once, then so many per second. One lcore's own.</summary>
internal struct TokenBucket
{
    private const long Second = 1_000_000_000;

    private readonly long _nanosecondsPerToken;
    private readonly long _capacity;
    private long _credit;
    private long _last;

    /// <summary>Starts full.</summary>
    /// <param name="perSecond">Tokens that come in per second.</param>
    /// <param name="burst">Tokens that can be saved.</param>
    /// <param name="nowNanoseconds">The clock now.</param>
    public TokenBucket(int perSecond, int burst, long nowNanoseconds)
    {
        _nanosecondsPerToken = Second / perSecond;
        _capacity = burst * _nanosecondsPerToken;
        _credit = _capacity;
        _last = nowNanoseconds;
    }

    /// <summary>Takes a token if there is one.</summary>
    public bool TryTake(long nowNanoseconds)
    {
        _credit = Math.Min(_capacity, _credit + Math.Max(0, nowNanoseconds - _last));
        _last = nowNanoseconds;
        if (_credit < _nanosecondsPerToken)
            return false;
        _credit -= _nanosecondsPerToken;
        return true;
    }
}
