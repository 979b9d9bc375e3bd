#pragma warning disable RS0030 // The one place that reads the clock for the exporter's thread; everything else is given the time.
namespace CryptoPlane.Ipfix.Export;

/// <summary>Reads a clock.</summary>
internal static class FlowClock
{
    private const long NanosecondsPerTick = 100;

    /// <summary>The time of now.</summary>
    public static FlowTime Read(TimeProvider clock) => new(
        (clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick,
        clock.GetElapsedTime(0, clock.GetTimestamp()).Ticks * NanosecondsPerTick);
}
