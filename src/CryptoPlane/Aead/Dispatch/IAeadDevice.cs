namespace CryptoPlane.Aead.Dispatch;

/// <summary>A backend that works beside the CPU and may fail by itself: what <see cref="DispatchBackend"/> needs to know of it.</summary>
/// <remarks>Threads: as <see cref="IAeadBackend"/> says; all calls come from the lcore that has the queue pair.</remarks>
public interface IAeadDevice : IAeadBackend
{
    /// <summary>Operations that may be in flight at most.</summary>
    int Depth { get; }

    /// <summary>Whether the device works. False once it was unplugged, or given up by another lcore that shares it.</summary>
    bool IsHealthy { get; }

    /// <summary>Operations that were given back with <see cref="AeadStatus.BackendError"/>.</summary>
    long DeviceErrors { get; }

    /// <summary>
    /// Gives the device up. From the first call on nothing is submitted or polled any more; called again until it returns true.
    /// </summary>
    /// <returns>
    /// True once the device surely reads and writes no buffer any more (its queue pair has been stopped), so that what was in flight may be
    /// done again or given back. Until then buffers and keys of operations in flight are in quarantine.
    /// </returns>
    bool TryAbandon();
}
