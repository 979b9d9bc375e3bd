namespace CryptoPlane.Ipfix.Export;

/// <summary>One moment by two clocks.</summary>
/// <param name="Unix">Nanoseconds since 1970 (UTC), for what is written.</param>
/// <param name="Monotonic">Nanoseconds of a clock that is never set, for periods.</param>
public readonly record struct FlowTime(long Unix, long Monotonic);
