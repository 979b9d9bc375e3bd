using System.Runtime.CompilerServices;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>
/// Arithmetic modulo q = 3329 (FIPS 203 §2.3) in constant time: multiplications, shifts and masks, never a division or a branch. A division
/// by a constant would be a division instruction in code that the JIT has not optimized yet, and its time tells of the dividend.
/// </summary>
/// <remarks>Montgomery's factor is 2^16: "in Montgomery form" means multiplied by 2^16 mod q.</remarks>
internal static class MlKemField
{
    /// <summary>The prime.</summary>
    public const int Q = 3329;

    /// <summary>q^-1 mod 2^16, as a signed number.</summary>
    private const int InverseOfQ = -3327;

    /// <summary>2^32 mod q: a product with it by <see cref="Multiply"/> is the number in Montgomery form.</summary>
    public const short MontgomerySquare = 1353;

    /// <summary>round(2^26 / q), for <see cref="Barrett"/>.</summary>
    private const int BarrettFactor = 20159;

    /// <summary>Divides by 2^16 modulo q.</summary>
    /// <param name="value">Between -q * 2^15 and q * 2^15.</param>
    /// <returns>A number between -q and q, both exclusive.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Montgomery(int value)
    {
        short factor = (short)(value * InverseOfQ);
        return (short)((value - factor * Q) >> 16);
    }

    /// <summary>The product of two numbers, divided by 2^16; one of them, or the result's reader, has the factor in it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Multiply(short a, short b) => Montgomery(a * b);

    /// <summary>The representative of least absolute value: between -(q-1)/2 and (q-1)/2.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static short Barrett(short value)
    {
        int quotient = (BarrettFactor * value + (1 << 25)) >> 26;
        return (short)(value - quotient * Q);
    }

    /// <summary>The representative from 0 to q-1 of a number between -q and q-1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort Canonical(short value) => (ushort)(value + ((value >> 15) & Q));
}
