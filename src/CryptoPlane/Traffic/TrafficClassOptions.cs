namespace CryptoPlane.Traffic;

/// <summary>How one class of packets is treated inside each tunnel.</summary>
public sealed record TrafficClassOptions
{
    /// <summary>Largest <see cref="Weight"/>.</summary>
    public const int MaxWeight = 1000;

    /// <summary>Classes of a lower number go first, always: what is left is the next one's. 0 to 255.</summary>
    public int Priority { get; init; }

    /// <summary>Share among the classes of the same priority: 1 to <see cref="MaxWeight"/>.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>What the class gets of each tunnel at most; packets wait for it.</summary>
    public TrafficRate Shape { get; init; }

    /// <summary>Bytes that wait in each tunnel's queue of the class at most.</summary>
    public int QueueBytes { get; init; } = 1 << 20;

    /// <summary>Packets, likewise.</summary>
    public int QueuePackets { get; init; } = 1000;
}
