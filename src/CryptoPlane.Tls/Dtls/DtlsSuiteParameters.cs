using CryptoPlane.Aead;
using CryptoPlane.Tls.KeySchedule;

namespace CryptoPlane.Tls.Dtls;

/// <summary>What follows from a cipher suite: its hash, its AEAD, and how a record's nonce is made.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Hash">Hash of the PRF and of Finished.</param>
/// <param name="Aead">Protects the records.</param>
/// <param name="FixedIvLength">Bytes of the IV that come out of the key block: 4 of AES-GCM (RFC 5288 §3), 12 of ChaCha20-Poly1305 (RFC 7905 §2).</param>
/// <param name="ExplicitNonceLength">Bytes of the nonce that each record carries.</param>
/// <param name="ContentLimit">
/// Most bytes of content under one key. RFC 8446 §5.5's margin for AES-GCM, 2^24.5 records of 2^14 bytes, is one of cipher blocks, and
/// DTLS 1.2 has no KeyUpdate: counted in bytes, it lasts as long for the short records of datagrams.
/// </param>
internal readonly record struct DtlsSuiteParameters(
    DtlsCipherSuite Suite, TlsHash Hash, AeadAlgorithm Aead, int FixedIvLength, int ExplicitNonceLength, ulong ContentLimit)
{
    private const ulong AesGcmContentLimit = CipherSuiteParameters.AesGcmRecordLimit << 14;

    /// <summary>Bytes of an AEAD key.</summary>
    public int KeyLength => AeadSizes.Key(Aead);

    /// <summary>The parameters of a suite that CryptoPlane has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The suite is not one of them.</exception>
    public static DtlsSuiteParameters Of(DtlsCipherSuite suite) => suite switch
    {
        DtlsCipherSuite.PskAes128GcmSha256 => new(suite, TlsHash.Sha256, AeadAlgorithm.Aes128Gcm, 4, 8, AesGcmContentLimit),
        DtlsCipherSuite.PskAes256GcmSha384 => new(suite, TlsHash.Sha384, AeadAlgorithm.Aes256Gcm, 4, 8, AesGcmContentLimit),
        DtlsCipherSuite.PskChaCha20Poly1305Sha256 => new(suite, TlsHash.Sha256, AeadAlgorithm.ChaCha20Poly1305, 12, 0, ulong.MaxValue),
        _ => throw new ArgumentOutOfRangeException(nameof(suite), suite, "Choose one of DtlsCipherSuite's members."),
    };
}
