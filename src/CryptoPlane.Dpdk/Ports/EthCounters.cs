using System.Runtime.InteropServices;

namespace CryptoPlane.Dpdk;

/// <summary>What a port counted since it was opened, in all its queues (cpd_eth_counters).</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct EthPortCounters
{
    /// <summary>Frames.</summary>
    public ulong ReceivedFrames, TransmittedFrames;

    /// <summary>Bytes of frames.</summary>
    public ulong ReceivedBytes, TransmittedBytes;

    /// <summary>Dropped: the receive queue was full, since its lcore was too slow.</summary>
    public ulong Missed;

    /// <summary>Dropped by the port: frames with errors, and frames that it could not send.</summary>
    public ulong ReceiveErrors, TransmitErrors;

    /// <summary>Dropped: the lcore's pool was empty.</summary>
    public ulong NoBuffer;
}

/// <summary>What one queue pair of a port counted (cpd_eth_queue_counters).</summary>
[StructLayout(LayoutKind.Sequential)]
public record struct EthQueueCounters
{
    /// <summary>Frames given to the lcore, and their bytes.</summary>
    public ulong ReceivedFrames, ReceivedBytes;

    /// <summary>Frames that the port took from the lcore, and their bytes.</summary>
    public ulong TransmittedFrames, TransmittedBytes;

    /// <summary>Dropped: received frames in more than one buffer.</summary>
    public ulong DropScattered;

    /// <summary>Bursts of which the port did not take all.</summary>
    public ulong ShortBursts;
}

/// <summary>A port's link.</summary>
/// <param name="IsUp">Whether frames get through.</param>
/// <param name="Megabits">Speed in Mb/s; 0 where the port does not know it.</param>
/// <param name="IsFullDuplex">Whether both directions at once.</param>
/// <param name="IsRemoved">Whether the device is gone.</param>
public readonly record struct EthLink(bool IsUp, long Megabits, bool IsFullDuplex, bool IsRemoved);
