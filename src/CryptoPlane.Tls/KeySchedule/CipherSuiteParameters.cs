using CryptoPlane.Aead;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>What follows from a cipher suite: its hash, its AEAD, the sizes, and how many records one key may protect.</summary>
/// <param name="Suite">The suite.</param>
/// <param name="Hash">Hash of the transcript, of HKDF and of Finished.</param>
/// <param name="Aead">Protects the records.</param>
/// <param name="RecordLimit">Most records under one key; at this many the key must have been updated.</param>
internal readonly record struct CipherSuiteParameters(TlsCipherSuite Suite, TlsHash Hash, AeadAlgorithm Aead, ulong RecordLimit)
{
    /// <summary>
    /// RFC 8446 §5.5: up to 2^24.5 full-size records may be encrypted on a connection with AES-GCM for a safety margin of about 2^-57.
    /// Rounded down to a whole number.
    /// </summary>
    public const ulong AesGcmRecordLimit = 23_726_566;

    /// <summary>
    /// RFC 8446 §5.5: with ChaCha20-Poly1305 the sequence number would wrap before the limit of its security; and §5.3 forbids the wrap.
    /// </summary>
    public const ulong SequenceLimit = ulong.MaxValue;

    /// <summary>Bytes of an AEAD key.</summary>
    public int KeyLength => AeadSizes.Key(Aead);

    /// <summary>The parameters of a suite that CryptoPlane has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The suite is not one of them.</exception>
    public static CipherSuiteParameters Of(TlsCipherSuite suite) => TryGet(suite, out CipherSuiteParameters parameters)
        ? parameters
        : throw new ArgumentOutOfRangeException(nameof(suite), suite, "Choose one of TlsCipherSuite's members.");

    /// <summary>The parameters of a suite, which may come from the wire.</summary>
    /// <returns>False if CryptoPlane does not have the suite.</returns>
    public static bool TryGet(TlsCipherSuite suite, out CipherSuiteParameters parameters)
    {
        parameters = suite switch
        {
            TlsCipherSuite.Aes128GcmSha256 => new(suite, TlsHash.Sha256, AeadAlgorithm.Aes128Gcm, AesGcmRecordLimit),
            TlsCipherSuite.Aes256GcmSha384 => new(suite, TlsHash.Sha384, AeadAlgorithm.Aes256Gcm, AesGcmRecordLimit),
            TlsCipherSuite.ChaCha20Poly1305Sha256 => new(suite, TlsHash.Sha256, AeadAlgorithm.ChaCha20Poly1305, SequenceLimit),
            _ => default,
        };
        return parameters.Suite != TlsCipherSuite.None;
    }
}
