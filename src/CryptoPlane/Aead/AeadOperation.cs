using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Aead;

/// <summary>
/// One AEAD operation: a descriptor of one cache line that the CPU kernels and devices read as it is.
/// </summary>
/// <remarks>
/// <para>The tag lies right behind the ciphertext: a seal reads <see cref="Length"/> bytes at <see cref="Source"/> and writes
/// <see cref="Length"/> + 16 bytes at <see cref="Destination"/>; an open reads <see cref="Length"/> + 16 bytes and writes
/// <see cref="Length"/> bytes. The two may be the same address (in place) or must not overlap.</para>
/// <para>Ownership: from submit to completion the operation, its nonce, AAD, key and both buffers belong to the backend. They live
/// in native memory (never in the GC heap) that a device could reach, and the lcore that submitted them leaves them alone.</para>
/// <para>The layout is shared with native code: change it there too.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SizeInBytes)]
public unsafe struct AeadOperation
{
    /// <summary>Size of the descriptor: one cache line.</summary>
    public const int SizeInBytes = 64;

    /// <summary>First byte of the plaintext (seal), or of ciphertext ‖ tag (open).</summary>
    [FieldOffset(0)] public byte* Source;

    /// <summary>First byte of the ciphertext ‖ tag (seal), or of the plaintext (open).</summary>
    [FieldOffset(8)] public byte* Destination;

    /// <summary>The key, which must outlive the operation.</summary>
    [FieldOffset(16)] public AeadKeyHandle Key;

    /// <summary>Bytes of plaintext (which are as many as of ciphertext, without the tag).</summary>
    [FieldOffset(24)] public uint Length;

    /// <summary>Bytes of AAD: up to <see cref="AeadSizes.InlineAad"/> they are inline, else at <see cref="AadPointer"/>.</summary>
    [FieldOffset(28)] public ushort AadLength;

    /// <summary>Seal or open.</summary>
    [FieldOffset(30)] public AeadDirection Direction;

    /// <summary>Written by the backend at completion.</summary>
    [FieldOffset(31)] public AeadStatus Status;

    /// <summary>The AAD itself, padded with zeros to 16 bytes, where <see cref="AadLength"/> is at most 16.</summary>
    [FieldOffset(32)] public fixed byte InlineAad[AeadSizes.InlineAad];

    /// <summary>The AAD where it is longer than 16 bytes.</summary>
    [FieldOffset(32)] public byte* AadPointer;

    /// <summary>The nonce. It must never repeat under one key.</summary>
    [FieldOffset(48)] public fixed byte Nonce[AeadSizes.Nonce];

    /// <summary>The submitter's own: carried through unchanged.</summary>
    [FieldOffset(60)] public uint UserData;

    /// <summary>Copies AAD of up to 16 bytes into the descriptor and zeroes the padding.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More than 16 bytes: set <see cref="AadPointer"/> to native memory instead.</exception>
    public void SetInlineAad(ReadOnlySpan<byte> aad)
    {
        if (aad.Length > AeadSizes.InlineAad)
            ThrowAadTooLong(aad.Length);
        // Sound: the span covers the fixed buffer of this very struct, and no longer than this method.
        Span<byte> inline = MemoryMarshal.CreateSpan(ref InlineAad[0], AeadSizes.InlineAad);
        aad.CopyTo(inline);
        inline[aad.Length..].Clear();
        AadLength = (ushort)aad.Length;
    }

    /// <summary>Copies the 12-byte nonce into the descriptor.</summary>
    /// <exception cref="ArgumentException">The nonce is shorter or longer than 12 bytes.</exception>
    public void SetNonce(ReadOnlySpan<byte> nonce)
    {
        if (nonce.Length != AeadSizes.Nonce)
            ThrowNonceSize(nonce.Length);
        nonce.CopyTo(MemoryMarshal.CreateSpan(ref Nonce[0], AeadSizes.Nonce));
    }

    private static void ThrowAadTooLong(int length) => throw new ArgumentOutOfRangeException(
        nameof(length), length, "AAD of more than 16 bytes goes by AadPointer, in native memory.");

    private static void ThrowNonceSize(int length) => throw new ArgumentException($"A nonce has 12 bytes, not {length}.");

    static AeadOperation()
    {
        if (Unsafe.SizeOf<AeadOperation>() != SizeInBytes)
            throw new InvalidOperationException("AeadOperation must be exactly one cache line.");
    }
}
