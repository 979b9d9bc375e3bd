using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>
/// A traffic secret of one direction: record keys, the Finished MAC and the next secret of a KeyUpdate come from it.
/// </summary>
internal sealed class TrafficSecret : ScheduleSecret
{
    private TrafficSecret(TlsHash hash) : base(hash)
    {
    }

    /// <summary>The secret, for record state that takes its own copy.</summary>
    public ReadOnlySpan<byte> Value => Bytes;

    internal static TrafficSecret Derive(TlsHash hash, ReadOnlySpan<byte> from, ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash)
    {
        var secret = new TrafficSecret(hash);
        Hkdf.DeriveSecret(hash, from, label, transcriptHash, secret.Bytes);
        return secret;
    }

    /// <summary>verify_data of a Finished message under this handshake traffic secret (RFC 8446 §4.4.4).</summary>
    /// <param name="transcriptHash">Of the messages before the Finished.</param>
    /// <param name="verifyData">Takes a digest's length of bytes.</param>
    public void ComputeFinished(ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData) => ComputeFinished(Hash, Bytes, transcriptHash, verifyData);

    /// <summary>verify_data under any traffic secret: behind the handshake it is the application's of the moment (RFC 8446 §4.4).</summary>
    public static void ComputeFinished(TlsHash hash, ReadOnlySpan<byte> secret, ReadOnlySpan<byte> transcriptHash, Span<byte> verifyData)
    {
        // finished_key = HKDF-Expand-Label(BaseKey, "finished", "", Hash.length)
        Span<byte> finishedKey = stackalloc byte[TlsHashes.MaxLength];
        finishedKey = finishedKey[..hash.Length()];
        Hkdf.ExpandLabel(hash, secret, "finished"u8, [], finishedKey);
        hash.Hmac(finishedKey, transcriptHash, verifyData);
        CryptographicOperations.ZeroMemory(finishedKey);
    }

    /// <summary>Checks the verify_data of a peer's Finished message, in constant time.</summary>
    /// <returns>False if it is wrong or has the wrong length: decrypt_error or decode_error is then the answer.</returns>
    public bool VerifyFinished(ReadOnlySpan<byte> transcriptHash, ReadOnlySpan<byte> verifyData)
    {
        Span<byte> expected = stackalloc byte[TlsHashes.MaxLength];
        expected = expected[..Hash.Length()];
        ComputeFinished(transcriptHash, expected);
        bool equal = CryptographicOperations.FixedTimeEquals(expected, verifyData);
        CryptographicOperations.ZeroMemory(expected);
        return equal;
    }
}
