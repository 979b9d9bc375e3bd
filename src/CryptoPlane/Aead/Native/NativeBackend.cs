namespace CryptoPlane.Aead.Native;

/// <summary>AES-GCM, and ChaCha20-Poly1305 where the tier has it, by the kernels of native/aead: whole bursts, whatever they mix, in one call.</summary>
/// <remarks>Every operation completes in <see cref="Submit"/>. The kernels wipe stack and vector registers once per burst.</remarks>
internal sealed unsafe class NativeBackend(NativeAeadTier tier) : IAeadBackend
{
    public string Name => "native";

    public string Description => $"native: {(tier.HasChaCha20Poly1305 ? "AES-GCM and ChaCha20-Poly1305" : "AES-GCM")} in bursts by tier {tier.Name} ({tier.Instructions})";

    public AeadBackendKind Kind => AeadBackendKind.Native;

    public bool IsSynchronous => true;

    public int InFlight => 0;

    public bool Supports(AeadAlgorithm algorithm) =>
        algorithm is AeadAlgorithm.Aes128Gcm or AeadAlgorithm.Aes256Gcm || (algorithm == AeadAlgorithm.ChaCha20Poly1305 && tier.HasChaCha20Poly1305);

    /// <summary>Nothing to do: a key is expanded when it is made.</summary>
    public bool TryAttachKey(AeadKeyHandle key) => true;

    public void DetachKey(AeadKeyHandle key)
    {
        // All that the kernels use lies in the key block, which is zeroed as a whole.
    }

    public int Submit(AeadOperation* operations, int count)
    {
        tier.Run(operations, count);
        return count;
    }

    public int Poll(AeadOperation** completed, int capacity) => 0;

    public void Dispose()
    {
        // Nothing is held: keys own their blocks, and the library stays loaded.
    }
}
