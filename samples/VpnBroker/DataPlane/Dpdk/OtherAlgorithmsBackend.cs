using CryptoPlane.Aead;

namespace VpnBroker.DataPlane.Dpdk;

/// <summary>
/// The CPU's kernels beside a device that knows AES-GCM only, for keys that the device does not take: those of ChaCha20-Poly1305.
/// </summary>
/// <remarks>
/// It is a kind by itself. Handshakes on control threads have attached their keys to the CPU's kinds, and an engine that has a key's kind
/// leaves the key there: the device would never get a user's connection.
/// </remarks>
internal sealed unsafe class OtherAlgorithmsBackend(IAeadBackend cpu) : IAeadBackend
{
    /// <inheritdoc/>
    public string Name => cpu.Name;

    /// <inheritdoc/>
    public AeadBackendKind Kind => (AeadBackendKind)byte.MaxValue;

    /// <inheritdoc/>
    public string Description => cpu.Description;

    /// <inheritdoc/>
    public bool IsSynchronous => true;

    /// <inheritdoc/>
    public int InFlight => 0;

    /// <inheritdoc/>
    public bool Supports(AeadAlgorithm algorithm) => cpu.Supports(algorithm);

    /// <inheritdoc/>
    public bool TryAttachKey(AeadKeyHandle key) => cpu.TryAttachKey(key);

    /// <inheritdoc/>
    public void DetachKey(AeadKeyHandle key) => cpu.DetachKey(key);

    /// <inheritdoc/>
    public int Submit(AeadOperation* operations, int count) => cpu.Submit(operations, count);

    /// <inheritdoc/>
    public int Poll(AeadOperation** completed, int capacity) => cpu.Poll(completed, capacity);

    /// <inheritdoc/>
    public void Dispose() => cpu.Dispose();
}
