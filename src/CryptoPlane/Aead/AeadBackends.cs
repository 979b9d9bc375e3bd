using CryptoPlane.Aead.Portable;

namespace CryptoPlane.Aead;

/// <summary>The backends that the library itself brings.</summary>
public static unsafe class AeadBackends
{
    /// <summary>libcrypto's EVP: every algorithm, on every CPU.</summary>
    public static IAeadBackend CreatePortable() => new PortableBackend();

    internal static IAeadBackend[] CreateDefault() => [CreatePortable()];

    /// <summary>Frees what a CPU backend keeps with a key that was never retired through an engine.</summary>
    internal static void Detach(AeadKeyHandle key) => PortableBackend.FreeContexts(key.Block);
}
