using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// The instructions that AES can be made of, as a type: the CPU's, or in tests what they do, written in C#, on CPUs without them.
/// </summary>
internal interface IGfni
{
    /// <summary>GF2P8AFFINEQB: every byte, a vector of 8 bits, times a matrix of 8 by 8 bits.</summary>
    static abstract Vector512<byte> Affine(Vector512<byte> x, Vector512<byte> matrix);

    /// <summary>GF2P8AFFINEINVQB: every byte's inverse in AES's field, times a matrix, plus 0x63.</summary>
    static abstract Vector512<byte> AffineInverse(Vector512<byte> x, Vector512<byte> matrix);

    /// <summary>VPRORD: every 32 bits rotated to the right.</summary>
    static abstract Vector512<byte> RotateRight(Vector512<byte> x, [ConstantExpected] byte bits);

    /// <summary>VPUNPCKLBW: of every 16 bytes the first 8 of both vectors in turn.</summary>
    static abstract Vector512<ushort> InterleaveLow(Vector512<byte> x, Vector512<byte> y);

    /// <summary>VPUNPCKHBW: of every 16 bytes the last 8.</summary>
    static abstract Vector512<ushort> InterleaveHigh(Vector512<byte> x, Vector512<byte> y);

    /// <summary>VPUNPCKLWD: the same for pairs of bytes.</summary>
    static abstract Vector512<byte> InterleaveLow(Vector512<ushort> x, Vector512<ushort> y);

    /// <summary>VPUNPCKHWD: the same for pairs of bytes.</summary>
    static abstract Vector512<byte> InterleaveHigh(Vector512<ushort> x, Vector512<ushort> y);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> RotateRight(Vector512<byte> x, [ConstantExpected] byte bits) => Avx512F.RotateRight(x.AsUInt32(), bits).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> InterleaveLow(Vector512<byte> x, Vector512<byte> y) => Avx512BW.UnpackLow(x, y).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ushort> InterleaveHigh(Vector512<byte> x, Vector512<byte> y) => Avx512BW.UnpackHigh(x, y).AsUInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> InterleaveLow(Vector512<ushort> x, Vector512<ushort> y) => Avx512BW.UnpackLow(x, y).AsByte();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<byte> InterleaveHigh(Vector512<ushort> x, Vector512<ushort> y) => Avx512BW.UnpackHigh(x, y).AsByte();
}
