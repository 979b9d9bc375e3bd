namespace CryptoPlane.Traffic;

/// <summary>Why a <see cref="TrafficScheduler"/> has dropped a packet.</summary>
public enum TrafficDropReason : byte
{
    /// <summary>CoDel: the queue has been standing for too long (RFC 8289).</summary>
    Delay,

    /// <summary>The class's queue of the tunnel has as many bytes or packets as it may.</summary>
    QueueFull,

    /// <summary>The scheduler holds as much as it may: the packet was the oldest of the longest queue.</summary>
    TotalFull,

    /// <summary>The tunnel has ended (<see cref="TrafficScheduler.Clear"/>).</summary>
    Cleared,
}
