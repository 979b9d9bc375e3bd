using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Carry-less arithmetic on one, two or four blocks at a time: the width of the CPU's multiplier as a type, so that the long kernel is
/// written once and the JIT makes one per width.
/// </summary>
/// <typeparam name="TVector">The vector that holds <see cref="Blocks"/> blocks, the first in the lowest lane.</typeparam>
internal unsafe interface IGhashLanes<TVector>
    where TVector : struct
{
    /// <summary>What the CPU must have, for people.</summary>
    static abstract string Name { get; }

    /// <summary>Whether this CPU has the instructions.</summary>
    static abstract bool IsSupported { get; }

    /// <summary>Blocks per vector: 1, 2 or 4.</summary>
    static abstract int Blocks { get; }

    /// <summary>Loads <see cref="Blocks"/> blocks of ciphertext into the hash's representation: the bytes of each reversed.</summary>
    static abstract TVector LoadReversed(byte* source);

    /// <summary>Adds <paramref name="value"/> to the first block.</summary>
    static abstract TVector AddToFirst(TVector blocks, Vector128<ulong> value);

    /// <summary>
    /// Adds the products of <paramref name="x"/>'s blocks and as many powers of H, from H^<paramref name="power"/> downwards, to the three
    /// sums of every lane; see <see cref="Ghash.AddProduct"/>. The power is a constant and a multiple of <see cref="Blocks"/>.
    /// </summary>
    static abstract void AddProduct(ref TVector low, ref TVector middle, ref TVector high, TVector x, AeadKeyBlock* key, int power);

    /// <summary>The sum of all lanes.</summary>
    static abstract Vector128<ulong> Fold(TVector value);
}
