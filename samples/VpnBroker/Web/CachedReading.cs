namespace VpnBroker.Web;

/// <summary>A reading that is made once in a while only, however many pages ask for it.</summary>
/// <param name="read">Makes it.</param>
/// <param name="life">How long it is given to those who ask.</param>
/// <param name="clock">The time.</param>
internal sealed class CachedReading<T>(Func<Task<T>> read, TimeSpan life, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private Task<T>? _last;
    private long _at;

    /// <summary>The reading of now, or one that is still good.</summary>
    public Task<T> ReadAsync()
    {
        lock (_gate)
        {
            if (_last is null || _last.IsFaulted || clock.GetElapsedTime(_at) >= life)
            {
                _at = clock.GetTimestamp();
                _last = read();
            }
            return _last;
        }
    }
}
