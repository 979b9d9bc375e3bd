using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace CryptoPlane.Aead.Managed;

/// <summary>
/// AES on 16 blocks in four 512-bit vectors, without AES instructions. AES sees a block as four rows of four bytes (FIPS 197 §3.4):
/// vector r holds row r of all 16 blocks, 32 bits each.
/// </summary>
/// <remarks>
/// <code>
///             block 0     block 4     block 8     block 12    block 1 …      (see <see cref="Finish"/> for the order)
/// row 0       b0 b4 b8 b12 | b0 b4 b8 b12 | …
/// row 1       b1 b5 b9 b13 | …
/// row 2       b2 b6 b10 b14 | …
/// row 3       b3 b7 b11 b15 | …
/// </code>
/// SubBytes (§5.1.1) is one instruction per vector: the inverse in the field and the affine transformation. ShiftRows (§5.1.2) rotates
/// 32 bits by 0 to 3 bytes. MixColumns (§5.1.3) adds up whole vectors: {02}·a is another affine transformation, and {03}·b is
/// {02}·b + b, so that row 0 becomes {02}·(a0 + a1) + a1 + (a2 + a3), and so on downwards.
/// </remarks>
internal unsafe struct GfniLanes<TGfni>
    where TGfni : struct, IGfni
{
    /// <summary>Blocks.</summary>
    public const int Blocks = 16;

    private uint* _rows;
    private Vector512<byte> _r0, _r1, _r2, _r3;

    /// <summary>The affine transformation of AES's S-box, the first row of the matrix in the last byte.</summary>
    private static Vector512<byte> SubBytesMatrix => Vector512.Create(0xF1E3_C78F_1F3E_7CF8).AsByte();

    /// <summary>Multiplication by {02} in AES's field.</summary>
    private static Vector512<byte> DoubleMatrix => Vector512.Create(0x8081_0284_8810_2040).AsByte();

    /// <summary>Writes round keys in rows: 16 bytes each, row 0 first.</summary>
    /// <param name="roundKeys">The expanded key.</param>
    /// <param name="count">Round keys.</param>
    /// <param name="rows">Room for as many.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void TransposeKeys(byte* roundKeys, int count, byte* rows)
    {
        for (int i = 0; i < count; i++)
            Transpose(Vector128.Load(roundKeys + 16 * i)).Store(rows + 16 * i);
    }

    /// <summary>Fills the lanes with counter blocks, and adds the first round key.</summary>
    /// <param name="nonce">See <see cref="GcmBlock.Nonce"/>.</param>
    /// <param name="counter">The counter of the first block.</param>
    /// <param name="rows">See <see cref="TransposeKeys"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GfniLanes(Vector128<byte> nonce, uint counter, byte* rows)
    {
        _rows = (uint*)rows;
        // The counter's bytes, the most significant first, are the last column: the top byte of each row.
        Vector128<uint> nonceRows = Transpose(nonce).AsUInt32() ^ Vector128.Load(_rows);
        Vector512<uint> counters = Vector512.Create(counter) + Vector512.Create(0u, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        Vector512<uint> top = Vector512.Create(0xFF00_0000);
        _r0 = (Vector512.Create(nonceRows.GetElement(0)) ^ (counters & top)).AsByte();
        _r1 = (Vector512.Create(nonceRows.GetElement(1)) ^ ((counters << 8) & top)).AsByte();
        _r2 = (Vector512.Create(nonceRows.GetElement(2)) ^ ((counters << 16) & top)).AsByte();
        _r3 = (Vector512.Create(nonceRows.GetElement(3)) ^ (counters << 24)).AsByte();
        _rows += 4;
    }

    /// <summary>The next AES round.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Round()
    {
        SubBytesAndShiftRows();
        Vector512<byte> r0 = _r0, r01 = _r0 ^ _r1, r12 = _r1 ^ _r2, r23 = _r2 ^ _r3, r30 = _r3 ^ _r0;
        _r0 = TGfni.Affine(r01, DoubleMatrix) ^ _r1 ^ r23 ^ Vector512.Create(_rows[0]).AsByte();
        _r1 = TGfni.Affine(r12, DoubleMatrix) ^ _r2 ^ r30 ^ Vector512.Create(_rows[1]).AsByte();
        _r2 = TGfni.Affine(r23, DoubleMatrix) ^ _r3 ^ r01 ^ Vector512.Create(_rows[2]).AsByte();
        _r3 = TGfni.Affine(r30, DoubleMatrix) ^ r0 ^ r12 ^ Vector512.Create(_rows[3]).AsByte();
        _rows += 4;
    }

    /// <summary>The last AES round, and the XOR with 256 bytes of data.</summary>
    /// <remarks>
    /// Bytes of rows 0 and 1 and of rows 2 and 3 are interleaved, then pairs of bytes of these: columns, and so blocks. Interleaving
    /// works on 128 bits, which hold four blocks of each row; the first of every four make the first vector of blocks, and so on.
    /// Therefore the first four blocks of the data are lanes 0, 4, 8 and 12.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Finish(byte* source, byte* destination)
    {
        SubBytesAndShiftRows();
        Vector512<byte> r0 = _r0 ^ Vector512.Create(_rows[0]).AsByte(), r1 = _r1 ^ Vector512.Create(_rows[1]).AsByte();
        Vector512<byte> r2 = _r2 ^ Vector512.Create(_rows[2]).AsByte(), r3 = _r3 ^ Vector512.Create(_rows[3]).AsByte();
        Vector512<ushort> low01 = TGfni.InterleaveLow(r0, r1), low23 = TGfni.InterleaveLow(r2, r3);
        Vector512<ushort> high01 = TGfni.InterleaveHigh(r0, r1), high23 = TGfni.InterleaveHigh(r2, r3);
        (TGfni.InterleaveLow(low01, low23) ^ Vector512.Load(source)).Store(destination);
        (TGfni.InterleaveHigh(low01, low23) ^ Vector512.Load(source + 64)).Store(destination + 64);
        (TGfni.InterleaveLow(high01, high23) ^ Vector512.Load(source + 128)).Store(destination + 128);
        (TGfni.InterleaveHigh(high01, high23) ^ Vector512.Load(source + 192)).Store(destination + 192);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void SubBytesAndShiftRows()
    {
        _r0 = TGfni.AffineInverse(_r0, SubBytesMatrix);
        _r1 = TGfni.RotateRight(TGfni.AffineInverse(_r1, SubBytesMatrix), 8);
        _r2 = TGfni.RotateRight(TGfni.AffineInverse(_r2, SubBytesMatrix), 16);
        _r3 = TGfni.RotateRight(TGfni.AffineInverse(_r3, SubBytesMatrix), 24);
    }

    /// <summary>From columns, as a block lies in memory, to rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Transpose(Vector128<byte> block) =>
        Ssse3.Shuffle(block, Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
}
