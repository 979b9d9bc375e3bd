namespace CryptoPlane.Ike.Responder;

/// <summary>
/// A rate limit: as many at once as in one second, and as many per second in the long run. The default value is full at time 0.
/// </summary>
internal struct TokenBucket
{
    private const long MillisecondsPerSecond = 1_000;

    // What was taken and has not come back yet, in thousandths of a token: zero is a full bucket, so that fresh memory is a fresh bucket.
    private long _taken;
    private long _last;

    /// <summary>Takes a token if there is one.</summary>
    /// <param name="perSecond">Tokens that come back per second, and most there are.</param>
    /// <param name="now">The time in milliseconds, never before the last call's.</param>
    public bool TryTake(int perSecond, long now)
    {
        long elapsed = Math.Clamp(now - _last, 0, MillisecondsPerSecond);
        _last = now;
        _taken = Math.Max(0, _taken - (elapsed * perSecond));
        if (_taken + MillisecondsPerSecond > perSecond * MillisecondsPerSecond)
            return false;
        _taken += MillisecondsPerSecond;
        return true;
    }
}
