using CryptoPlane.Aead;
using CryptoPlane.Aead.Dispatch;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>A device that works until the test says so, and then takes operations and completes none, as one does that was unplugged.</summary>
internal sealed unsafe class StallingDevice(IAeadDevice device) : IAeadDevice
{
    /// <summary>Whether nothing is completed any more.</summary>
    public bool Stalls { get; set; }

    /// <summary>Operations that were taken and not completed when the device was given up.</summary>
    public int Caught { get; private set; }

    public string Name => device.Name;

    public AeadBackendKind Kind => device.Kind;

    public string Description => device.Description;

    public bool IsSynchronous => false;

    public int InFlight => device.InFlight;

    public int Depth => device.Depth;

    public bool IsHealthy => device.IsHealthy;

    public long DeviceErrors => device.DeviceErrors;

    public bool Supports(AeadAlgorithm algorithm) => device.Supports(algorithm);

    public bool TryAttachKey(AeadKeyHandle key) => device.TryAttachKey(key);

    public void DetachKey(AeadKeyHandle key) => device.DetachKey(key);

    public int Submit(AeadOperation* operations, int count) => device.Submit(operations, count);

    public int Poll(AeadOperation** completed, int capacity) => Stalls ? 0 : device.Poll(completed, capacity);

    public bool TryAbandon()
    {
        Caught = Math.Max(Caught, device.InFlight);
        return device.TryAbandon();
    }

    public void Dispose() => device.Dispose();
}
