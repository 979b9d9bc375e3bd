using System.Buffers.Binary;
using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>HKDF (RFC 5869) and the two functions that TLS 1.3 builds on it (RFC 8446 §7.1). No managed memory is allocated.</summary>
internal static class Hkdf
{
    private const int MaxLabel = 255, MaxContext = 255;
    private const int MaxLabelInfo = 2 + 1 + MaxLabel + 1 + MaxContext;

    private static ReadOnlySpan<byte> LabelPrefix => "tls13 "u8;

    /// <summary>HKDF-Extract (RFC 5869 §2.2).</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="salt">Empty stands for a digest's length of zeros, which HMAC makes of it anyway.</param>
    /// <param name="inputKeyingMaterial">The secret to extract from.</param>
    /// <param name="pseudorandomKey">Takes a digest's length of bytes.</param>
    public static void Extract(TlsHash hash, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> inputKeyingMaterial, Span<byte> pseudorandomKey) =>
        hash.Hmac(salt, inputKeyingMaterial, pseudorandomKey);

    /// <summary>HKDF-Expand (RFC 5869 §2.3).</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="pseudorandomKey">At least a digest's length of bytes.</param>
    /// <param name="info">At most 514 bytes, the longest HkdfLabel.</param>
    /// <param name="output">Filled; at most 255 digests long.</param>
    /// <exception cref="ArgumentException">The info or the output is too long.</exception>
    public static void Expand(TlsHash hash, ReadOnlySpan<byte> pseudorandomKey, ReadOnlySpan<byte> info, Span<byte> output)
    {
        int digest = hash.Length();
        if (info.Length > MaxLabelInfo)
            throw new ArgumentException($"The info has at most {MaxLabelInfo} bytes.", nameof(info));
        if (output.Length > 255 * digest)
            throw new ArgumentException($"HKDF gives at most 255 digests of {digest} bytes.", nameof(output));

        // T(n) = HMAC(PRK, T(n-1) | info | n), with T(0) empty.
        Span<byte> input = stackalloc byte[TlsHashes.MaxLength + MaxLabelInfo + 1];
        Span<byte> block = stackalloc byte[TlsHashes.MaxLength];
        info.CopyTo(input[digest..]);
        Span<byte> counter = input.Slice(digest + info.Length, 1);
        int done = 0;
        while (done < output.Length)
        {
            counter[0]++;
            int start = done == 0 ? digest : 0;
            hash.Hmac(pseudorandomKey, input[start..(digest + info.Length + 1)], block);
            block[..digest].CopyTo(input);
            int take = Math.Min(digest, output.Length - done);
            block[..take].CopyTo(output[done..]);
            done += take;
        }
        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(input);
    }

    /// <summary>HKDF-Expand-Label (RFC 8446 §7.1).</summary>
    /// <param name="hash">The hash.</param>
    /// <param name="secret">A digest's length of bytes.</param>
    /// <param name="label">Without the prefix "tls13 "; at most 249 bytes.</param>
    /// <param name="context">At most 255 bytes.</param>
    /// <param name="output">Filled; may be the secret itself. At most 65,535 bytes and 255 digests.</param>
    /// <exception cref="ArgumentException">Something is too long.</exception>
    public static void ExpandLabel(TlsHash hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        int labelLength = LabelPrefix.Length + label.Length;
        if (labelLength > MaxLabel || context.Length > MaxContext)
            throw new ArgumentException($"A label has at most {MaxLabel - LabelPrefix.Length} bytes, and its context at most {MaxContext}.", nameof(label));

        // struct { uint16 length; opaque label<7..255>; opaque context<0..255>; } HkdfLabel;
        Span<byte> info = stackalloc byte[2 + 1 + labelLength + 1 + context.Length];
        BinaryPrimitives.WriteUInt16BigEndian(info, checked((ushort)output.Length));
        info[2] = (byte)labelLength;
        LabelPrefix.CopyTo(info[3..]);
        label.CopyTo(info[(3 + LabelPrefix.Length)..]);
        info[3 + labelLength] = (byte)context.Length;
        context.CopyTo(info[(4 + labelLength)..]);
        Expand(hash, secret, info, output);
    }

    /// <summary>Derive-Secret (RFC 8446 §7.1), given the transcript's hash: a digest's length of bytes.</summary>
    public static void DeriveSecret(TlsHash hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash, Span<byte> output) =>
        ExpandLabel(hash, secret, label, transcriptHash, output[..hash.Length()]);
}
