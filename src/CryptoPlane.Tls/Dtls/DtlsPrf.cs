using System.Buffers.Binary;
using System.Security.Cryptography;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Dtls;

/// <summary>The key derivation of TLS 1.2 with a pre-shared key (RFC 5246 §5 and §8.1, RFC 4279 §2, RFC 7627 §4). Control threads only.</summary>
internal static class DtlsPrf
{
    /// <summary>Bytes of a master secret.</summary>
    public const int MasterSecretSize = 48;

    /// <summary>Bytes of a Finished (RFC 5246 §7.4.9).</summary>
    public const int VerifyDataSize = 12;

    /// <summary>Longest pre-shared key that is taken.</summary>
    public const int MaxPsk = 256;

    private const int MaxLabelAndSeed = 128;

    /// <summary>PRF(secret, label, seed) = P_hash(secret, label + seed), as long as <paramref name="output"/> (RFC 5246 §5).</summary>
    public static void Derive(TlsHash hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> label, ReadOnlySpan<byte> seed1, ReadOnlySpan<byte> seed2, Span<byte> output)
    {
        int size = hash.Length();
        // A(i) || label || seed: what each HMAC is over. A(i) is over A(i - 1), which stands at the front.
        Span<byte> input = stackalloc byte[TlsHashes.MaxLength + MaxLabelAndSeed];
        Span<byte> seed = input[size..];
        label.CopyTo(seed);
        seed1.CopyTo(seed[label.Length..]);
        seed2.CopyTo(seed[(label.Length + seed1.Length)..]);
        input = input[..(size + label.Length + seed1.Length + seed2.Length)];
        hash.Hmac(secret, input[size..], input);
        Span<byte> block = stackalloc byte[TlsHashes.MaxLength];
        while (!output.IsEmpty)
        {
            hash.Hmac(secret, input, block);
            int part = Math.Min(size, output.Length);
            block[..part].CopyTo(output);
            output = output[part..];
            hash.Hmac(secret, input[..size], input);
        }
        CryptographicOperations.ZeroMemory(block);
        CryptographicOperations.ZeroMemory(input);
    }

    /// <summary>The master secret of a pre-shared key.</summary>
    /// <param name="hash">The suite's hash.</param>
    /// <param name="psk">At most <see cref="MaxPsk"/> bytes.</param>
    /// <param name="sessionHash">RFC 7627 §3's session_hash; empty without extended_master_secret.</param>
    /// <param name="clientRandom">32 bytes.</param>
    /// <param name="serverRandom">32 bytes.</param>
    /// <param name="master">48 bytes.</param>
    public static void MasterSecret(
        TlsHash hash, ReadOnlySpan<byte> psk, ReadOnlySpan<byte> sessionHash, ReadOnlySpan<byte> clientRandom, ReadOnlySpan<byte> serverRandom, Span<byte> master)
    {
        // RFC 4279 §2: "if the PSK is N octets long, concatenate a uint16 with the value N, N zero octets, a second uint16 with the value
        // N, and the PSK itself".
        Span<byte> premaster = stackalloc byte[(2 * MaxPsk) + 4];
        premaster = premaster[..((2 * psk.Length) + 4)];
        premaster.Clear();
        BinaryPrimitives.WriteUInt16BigEndian(premaster, (ushort)psk.Length);
        BinaryPrimitives.WriteUInt16BigEndian(premaster[(2 + psk.Length)..], (ushort)psk.Length);
        psk.CopyTo(premaster[(4 + psk.Length)..]);
        if (sessionHash.IsEmpty)
            Derive(hash, premaster, "master secret"u8, clientRandom, serverRandom, master);
        else
            Derive(hash, premaster, "extended master secret"u8, sessionHash, [], master);
        CryptographicOperations.ZeroMemory(premaster);
    }

    /// <summary>The verify_data of a Finished.</summary>
    public static void VerifyData(TlsHash hash, ReadOnlySpan<byte> master, bool ofClient, ReadOnlySpan<byte> transcript, Span<byte> verifyData) =>
        Derive(hash, master, ofClient ? "client finished"u8 : "server finished"u8, transcript, [], verifyData);
}
