namespace CryptoPlane.BogoShim;

/// <summary>A clock that stands still but when the runner puts it forward between two connections: the ages that it expects are exact.</summary>
internal sealed class ShimClock : TimeProvider
{
    private readonly DateTimeOffset _start = System.GetUtcNow();
    private readonly long _timestamp = System.GetTimestamp();
    private TimeSpan _ahead;

    public void Advance(TimeSpan by) => _ahead += by;

    public override DateTimeOffset GetUtcNow() => _start + _ahead;

    public override long GetTimestamp() => _timestamp + (long)(_ahead.TotalSeconds * TimestampFrequency);
}
