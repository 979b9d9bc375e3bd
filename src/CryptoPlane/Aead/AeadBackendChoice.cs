namespace CryptoPlane.Aead;

/// <summary>Which of the library's CPU backends an engine takes.</summary>
public enum AeadBackendChoice
{
    /// <summary>The fastest that the CPU has for each algorithm.</summary>
    Auto,

    /// <summary>The kernels of libcryptoplane_aead.so, which must be there.</summary>
    Native,

    /// <summary>The managed AES-NI kernels; libcrypto only for what they cannot do (ChaCha20-Poly1305).</summary>
    Managed,

    /// <summary>libcrypto for everything.</summary>
    Portable,
}
