namespace CryptoPlane.Tls.Tests.Support;

/// <summary>A clock that a test sets.</summary>
internal sealed class ManualClock : TimeProvider
{
    private TimeSpan _passed;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public void Advance(TimeSpan time) => _passed += time;

    public override long GetTimestamp() => _passed.Ticks;

    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddYears(50) + _passed;
}
