namespace CryptoPlane.Ipfix.Sinks;

/// <summary>Where a sink's files lie, and when the next one begins.</summary>
/// <param name="Directory">The directory; it is made when it is not there.</param>
/// <param name="Prefix">What file names begin with.</param>
public sealed record FlowFileOptions(string Directory, string Prefix)
{
    /// <summary>Bytes after which the next file begins.</summary>
    public long MaximumSize { get; init; } = 64 * 1024 * 1024;

    /// <summary>Nanoseconds after which the next file begins, when there are records in this one.</summary>
    public long MaximumAge { get; init; } = 300_000_000_000;

    /// <summary>Completed files that are kept: the oldest are deleted; 0 for all.</summary>
    public int Keep { get; init; }

    /// <summary>Bytes that may wait for the disk; records behind that are dropped.</summary>
    public int Buffer { get; init; } = 4 * 1024 * 1024;

    /// <summary>Nanoseconds after which what waits goes to the disk.</summary>
    public long FlushPeriod { get; init; } = 1_000_000_000;

    /// <summary>Nanoseconds until the next attempt after a failure.</summary>
    public long RetryPeriod { get; init; } = 5_000_000_000;
}
