namespace CryptoPlane.Aead.Dispatch;

/// <summary>How a <see cref="DispatchBackend"/> stands with its device.</summary>
public enum DispatchState
{
    /// <summary>The device and the CPU share the work.</summary>
    Sharing,

    /// <summary>
    /// The device failed. New operations are done by the CPU; those in flight are in quarantine until the device has been stopped.
    /// </summary>
    Abandoning,

    /// <summary>The device is out of use, and nothing of it is left: the CPU does everything.</summary>
    CpuOnly,
}
