namespace CryptoPlane.Aead.Dispatch;

/// <summary>How operations are shared out between a device and the CPU.</summary>
public sealed class DispatchOptions
{
    /// <summary>Shorter messages never go to the device, in bytes.</summary>
    public int MinimumLength { get; init; }

    /// <summary>
    /// Whether everything goes to the device that it has room for, whatever it costs: to test or to measure a device, or to leave the CPU's
    /// vector units to others. Else costs are measured, and the cheaper side is taken.
    /// </summary>
    public bool PreferDevice { get; init; }

    /// <summary>Operations in flight at most, at and above which the CPU takes them; 0 for the device's depth.</summary>
    public int InFlightLimit { get; init; }

    /// <summary>How long the device may have operations without completing any before it is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Failed operations in a row after which the device is given up.</summary>
    public int ErrorLimit { get; init; } = 32;

    /// <summary>One in so many bursts goes the way that is thought dearer, to see whether it still is: a power of two.</summary>
    public int ProbeInterval { get; init; } = 1024;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(MinimumLength);
        ArgumentOutOfRangeException.ThrowIfNegative(InFlightLimit);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ErrorLimit);
        if (StallTimeout <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(StallTimeout), StallTimeout, "The time after which a device counts as stalled is above zero.");
        if (ProbeInterval < 2 || !int.IsPow2(ProbeInterval))
            throw new ArgumentOutOfRangeException(nameof(ProbeInterval), ProbeInterval, "The interval of probes is a power of two, at least 2.");
    }
}
