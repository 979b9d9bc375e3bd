namespace VpnBroker.Ipsec;

/// <summary>
/// Bounds how much is written of peers that were refused: whoever invents source addresses could otherwise fill the disk. IKE's thread.
/// </summary>
internal sealed class RefusalThrottle
{
    /// <summary>Refusals that are written however fast they come.</summary>
    public const int Burst = 32;

    /// <summary>Milliseconds after which one more is.</summary>
    public const long Interval = 2_000;

    private long _last, _omitted;
    private int _left = Burst;

    /// <summary>Asks whether a refusal is written.</summary>
    /// <param name="now">The time in milliseconds, never before the last call's.</param>
    /// <param name="omitted">How many before it were not.</param>
    public bool TryWrite(long now, out long omitted)
    {
        long renewed = Math.Min((now - _last) / Interval, Burst);
        if (renewed > 0)
        {
            _left = (int)Math.Min(Burst, _left + renewed);
            _last = now;
        }
        omitted = _omitted;
        if (_left == 0)
        {
            _omitted++;
            return false;
        }
        _left--;
        _omitted = 0;
        return true;
    }
}
