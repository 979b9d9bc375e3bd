using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Aead;

namespace CryptoPlane.Esp.Tests;

/// <summary>
/// ESP packets made with the framework's AEADs and none of the library's code: an oracle for what we seal, and a peer that holds the
/// right key and breaks the rules behind it.
/// </summary>
internal sealed class EspForge(AeadAlgorithm algorithm, byte[] keyingMaterial, uint spi, bool esn = false)
{
    private byte[] Key => keyingMaterial[..^4];

    /// <summary>The ESP packet, from SPI to ICV, over any plaintext: inner packet, padding and trailer are all the caller's.</summary>
    /// <param name="sequence">All 64 bits of it.</param>
    /// <param name="iv">Null for the sequence number.</param>
    public byte[] Seal(ulong sequence, ReadOnlySpan<byte> plaintext, ulong? iv = null)
    {
        byte[] packet = new byte[16 + plaintext.Length + 16];
        BinaryPrimitives.WriteUInt32BigEndian(packet, spi);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), (uint)sequence);
        BinaryPrimitives.WriteUInt64BigEndian(packet.AsSpan(8), iv ?? sequence);
        Span<byte> nonce = stackalloc byte[12];
        keyingMaterial.AsSpan(^4..).CopyTo(nonce);
        packet.AsSpan(8, 8).CopyTo(nonce[4..]);
        Span<byte> ciphertext = packet.AsSpan(16, plaintext.Length);
        Span<byte> icv = packet.AsSpan(16 + plaintext.Length);
        if (algorithm == AeadAlgorithm.ChaCha20Poly1305)
        {
            using var aead = new ChaCha20Poly1305(Key);
            aead.Encrypt(nonce, plaintext, ciphertext, icv, Aad(sequence));
        }
        else
        {
            using var aead = new AesGcm(Key, 16);
            aead.Encrypt(nonce, plaintext, ciphertext, icv, Aad(sequence));
        }
        return packet;
    }

    /// <summary>The ESP packet over an inner packet, as a peer that keeps the rules makes it.</summary>
    public byte[] SealInner(ulong sequence, ReadOnlySpan<byte> inner) =>
        Seal(sequence, [.. inner, .. Trailer(inner.Length, (byte)(inner[0] >> 4 == 4 ? 4 : 41))]);

    /// <summary>Padding 1, 2, 3, …, its length and the next header behind so many bytes of payload.</summary>
    public static byte[] Trailer(int payloadLength, byte nextHeader, int extraWords = 0)
    {
        int padding = (-(payloadLength + 2) & 3) + (4 * extraWords);
        return [.. Enumerable.Range(1, padding).Select(i => (byte)i), (byte)padding, nextHeader];
    }

    private byte[] Aad(ulong sequence)
    {
        byte[] aad = new byte[esn ? 12 : 8];
        BinaryPrimitives.WriteUInt32BigEndian(aad, spi);
        if (esn)
            BinaryPrimitives.WriteUInt64BigEndian(aad.AsSpan(4), sequence);
        else
            BinaryPrimitives.WriteUInt32BigEndian(aad.AsSpan(4), (uint)sequence);
        return aad;
    }
}
