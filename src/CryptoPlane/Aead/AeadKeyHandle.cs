using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead;

/// <summary>
/// The unmanaged form of an <see cref="AeadKey"/>: a pointer to the key's native block, for descriptors, SAs and connections.
/// </summary>
/// <remarks>
/// A handle owns nothing by itself. It comes from <see cref="AeadKey.Handle"/> (the key object stays the owner) or from
/// <see cref="AeadKey.Detach"/> (the holder becomes the owner, and gives it back with <see cref="AeadEngine.Retire"/>).
/// One lcore at a time uses a key.
/// </remarks>
public readonly unsafe struct AeadKeyHandle : IEquatable<AeadKeyHandle>
{
    internal readonly AeadKeyBlock* Block;

    internal AeadKeyHandle(AeadKeyBlock* block) => Block = block;

    /// <summary>True for the zero handle.</summary>
    public bool IsNull => Block == null;

    /// <summary>The key's algorithm; <see cref="AeadAlgorithm.None"/> for the zero handle.</summary>
    public AeadAlgorithm Algorithm => Block == null ? AeadAlgorithm.None : Block->Algorithm;

    /// <summary>
    /// Asks for the cache line by which the engine knows the key's backend and algorithm: for a submitter of many keys, some operations
    /// ahead. The rest of the key is the backend's to ask for.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Prefetch()
    {
        // Sound: a hint cannot fault, even for the zero handle.
        if (Sse.IsSupported)
            Sse.Prefetch0((byte*)Block + AeadKeyBlock.HeaderOffset);
    }

    /// <inheritdoc/>
    public bool Equals(AeadKeyHandle other) => Block == other.Block;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is AeadKeyHandle other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((nuint)Block).GetHashCode();

    /// <summary>Whether two handles are of the same key block.</summary>
    public static bool operator ==(AeadKeyHandle left, AeadKeyHandle right) => left.Equals(right);

    /// <summary>Whether two handles are of different key blocks.</summary>
    public static bool operator !=(AeadKeyHandle left, AeadKeyHandle right) => !left.Equals(right);
}
