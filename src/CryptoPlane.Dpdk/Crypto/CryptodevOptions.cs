using System.Numerics;

namespace CryptoPlane.Dpdk;

/// <summary>How <see cref="Cryptodev.Open"/> configures a device.</summary>
public sealed class CryptodevOptions
{
    /// <summary>Queue pairs: one per lcore that uses the device.</summary>
    public int QueuePairs { get; init; } = 1;

    /// <summary>Operations that a queue pair has in flight at most: a power of two from 64 to 65,536.</summary>
    public int Depth { get; init; } = 1024;

    /// <summary>Sessions that the device has at most: one per key, direction and length of AAD that is used.</summary>
    public int Sessions { get; init; } = 4096;

    internal void Validate(CryptodevInfo device)
    {
        if (QueuePairs < 1 || QueuePairs > device.MaxQueuePairs)
            throw new ArgumentOutOfRangeException(nameof(QueuePairs), QueuePairs, $"{device.Name} has 1 to {device.MaxQueuePairs} queue pairs.");
        if (Depth is < 64 or > 65536 || !BitOperations.IsPow2(Depth))
            throw new ArgumentOutOfRangeException(nameof(Depth), Depth, "The depth of a queue pair is a power of two from 64 to 65,536.");
        ArgumentOutOfRangeException.ThrowIfLessThan(Sessions, 1);
    }
}
