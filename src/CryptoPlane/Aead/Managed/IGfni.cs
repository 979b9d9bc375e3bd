using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The two Galois field instructions that AES can be made of, as a type: the CPU's, or in tests their arithmetic on CPUs without them.
/// </summary>
internal interface IGfni
{
    /// <summary>GF2P8AFFINEQB: every byte, a vector of 8 bits, times a matrix of 8 by 8 bits.</summary>
    static abstract Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix);

    /// <summary>GF2P8AFFINEINVQB: every byte's inverse in AES's field, times a matrix, plus 0x63.</summary>
    static abstract Vector512<byte> AffineInverse(Vector512<byte> x, Vector512<byte> matrix);
}

/// <summary>The CPU's instructions, on 512 bits.</summary>
internal readonly struct Gfni512 : IGfni
{
    /// <summary>Whether the CPU has them and all that <see cref="GfniLanes{TGfni}"/> needs besides.</summary>
    public static bool IsSupported => Gfni.V512.IsSupported && Avx512BW.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix) => Gfni.V512.GaloisFieldAffineTransform(x, matrix, 0);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> AffineInverse(Vector512<byte> x, Vector512<byte> matrix) => Gfni.V512.GaloisFieldAffineTransformInverse(x, matrix, 0x63);
}
