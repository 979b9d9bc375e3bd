using CryptoPlane.Aead.Managed;
using CryptoPlane.Aead.Portable;

namespace CryptoPlane.Aead;

/// <summary>The backends that the library itself brings.</summary>
public static unsafe class AeadBackends
{
    /// <summary>Whether this CPU has what the managed kernels need (AES-NI, PCLMULQDQ and SSSE3).</summary>
    public static bool IsManagedSupported => ManagedBackend.IsSupported;

    /// <summary>Managed AES-NI kernels: AES-128-GCM and AES-256-GCM.</summary>
    /// <exception cref="PlatformNotSupportedException">The CPU lacks AES-NI, PCLMULQDQ or SSSE3.</exception>
    public static IAeadBackend CreateManaged() => new ManagedBackend(ManagedBackend.BestTier);

    /// <summary>libcrypto's EVP: every algorithm, on every CPU.</summary>
    public static IAeadBackend CreatePortable() => new PortableBackend();

    /// <summary>The backends for a choice, the preferred first.</summary>
    internal static IAeadBackend[] Create(AeadBackendChoice choice)
    {
        bool managed = choice == AeadBackendChoice.Managed || (choice == AeadBackendChoice.Auto && IsManagedSupported);
        return managed ? [CreateManaged(), CreatePortable()] : [CreatePortable()];
    }

    /// <summary>Expands a new key for the CPU kernels, so that its first packet does not wait for it.</summary>
    internal static void Expand(AeadKeyBlock* block)
    {
        if (ManagedBackend.IsSupported)
            ManagedBackend.ExpandKey(block);
    }

    /// <summary>Detaches a key from a CPU backend, without an engine that has it.</summary>
    /// <returns>False if the key is attached to a backend that only its engine can free.</returns>
    internal static bool TryDetach(AeadKeyHandle key)
    {
        switch (key.Block->Backend)
        {
            case AeadBackendKind.None or AeadBackendKind.Managed:
                key.Block->Backend = AeadBackendKind.None;
                return true;
            case AeadBackendKind.Portable:
                PortableBackend.FreeContexts(key.Block);
                key.Block->Backend = AeadBackendKind.None;
                return true;
            default:
                return false;
        }
    }
}
