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
    /// Adds the products of two vectors' blocks and powers of H to the three sums of every lane; see <see cref="Ghash.AddProducts"/>.
    /// </summary>
    /// <param name="low">Sum of low·low.</param>
    /// <param name="middle">Sum of (low+high)·(low+high).</param>
    /// <param name="high">Sum of high·high.</param>
    /// <param name="first">To be multiplied by H^<paramref name="power"/> and the powers below it.</param>
    /// <param name="second">What lies four blocks behind: to be multiplied by H^(power − 4) and those below.</param>
    /// <param name="key">The key.</param>
    /// <param name="power">A constant from 8 to 4 + <see cref="Blocks"/>, and a multiple of <see cref="Blocks"/>.</param>
    static abstract void AddProducts(ref TVector low, ref TVector middle, ref TVector high, TVector first, TVector second, AeadKeyBlock* key, int power);

    /// <summary>The sum of all lanes.</summary>
    static abstract Vector128<ulong> Fold(TVector value);
}
