namespace CryptoPlane.Traffic;

/// <summary>What a <see cref="TrafficScheduler"/> is made of.</summary>
public sealed record TrafficSchedulerOptions
{
    /// <summary>Most classes.</summary>
    public const int MaxClasses = 16;

    /// <summary>Tunnels, numbered from 0.</summary>
    public required int Tunnels { get; init; }

    /// <summary>The classes, numbered in this order: 1 to <see cref="MaxClasses"/>.</summary>
    public IReadOnlyList<TrafficClassOptions> Classes { get; init; } = [new TrafficClassOptions()];

    /// <summary>The rate of the port behind: the bottleneck whose queue is then here and not there.</summary>
    public TrafficRate Port { get; init; }

    /// <summary>Bytes that a tunnel of weight 1 sends when its turn comes: not less than a packet, so that every turn sends something.</summary>
    public int Quantum { get; init; } = 1514;

    /// <summary>Bytes that the port adds to each packet, as rates and shares count them: headers, trailers, tags.</summary>
    public int OverheadBytes { get; init; }

    /// <summary>Bytes that wait in all queues at most.</summary>
    public long TotalBytes { get; init; } = 16L << 20;

    /// <summary>Packets that wait in all queues at most.</summary>
    public int TotalPackets { get; init; } = 8192;

    /// <summary>When packets are dropped, or marked, because their queue stands.</summary>
    public CoDelParameters CoDel { get; init; } = CoDelParameters.Default;

    /// <summary>Throws when something is out of its range.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Tunnels);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Tunnels, 1 << 24);
        ArgumentOutOfRangeException.ThrowIfZero(Classes.Count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Classes.Count, MaxClasses);
        ArgumentOutOfRangeException.ThrowIfLessThan(Quantum, 64);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Quantum, 65536);
        ArgumentOutOfRangeException.ThrowIfNegative(OverheadBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(OverheadBytes, 1024);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(TotalBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(TotalPackets);
        Port.Check();
        foreach (TrafficClassOptions options in Classes)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(options.Priority);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Priority, byte.MaxValue);
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Weight);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Weight, TrafficClassOptions.MaxWeight);
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.QueueBytes);
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.QueuePackets);
            options.Shape.Check();
        }
    }
}
