namespace CryptoPlane.Aead;

/// <summary>
/// Kinds of backends. What a key keeps for a backend works with every backend of the same kind, so that a key which was attached on
/// one thread's engine moves to an lcore's engine, whatever else the two engines have.
/// </summary>
/// <remarks>A device whose sessions are its own (another device cannot use them) is a kind by itself: numbers from <see cref="Custom"/> on.</remarks>
public enum AeadBackendKind : byte
{
    /// <summary>No backend: the key is attached to none yet.</summary>
    None = 0,

    /// <summary>Managed AES-NI kernels.</summary>
    Managed = 1,

    /// <summary>libcrypto's EVP.</summary>
    Portable = 2,

    /// <summary>The kernels of native/aead.</summary>
    Native = 3,

    /// <summary>The first number that is free for backends from outside.</summary>
    Custom = 128,
}
