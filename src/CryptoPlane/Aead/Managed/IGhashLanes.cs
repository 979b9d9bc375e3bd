using System.Runtime.Intrinsics;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// Carry-less arithmetic on one, two or four blocks at a time: the width of the CPU's multiplier as a type, so that the kernels are
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

    /// <summary>Loads <see cref="Blocks"/> values that are in the hash's representation (powers of H).</summary>
    static abstract TVector Load(byte* source);

    /// <summary>Loads <see cref="Blocks"/> blocks of ciphertext and reverses the bytes of each.</summary>
    static abstract TVector LoadReversed(byte* source);

    /// <summary>A vector with <paramref name="value"/> in the first block's lane and zeros elsewhere.</summary>
    static abstract TVector InFirst(Vector128<ulong> value);

    /// <summary>Per lane: the sum of the two halves, in both halves.</summary>
    static abstract TVector HalfSums(TVector value);

    /// <summary>Sum in the field.</summary>
    static abstract TVector Xor(TVector left, TVector right);

    /// <summary>Per lane: the 128-bit product of the low halves.</summary>
    static abstract TVector MultiplyLow(TVector left, TVector right);

    /// <summary>Per lane: the 128-bit product of the high halves.</summary>
    static abstract TVector MultiplyHigh(TVector left, TVector right);

    /// <summary>The sum of all lanes.</summary>
    static abstract Vector128<ulong> Fold(TVector value);
}
