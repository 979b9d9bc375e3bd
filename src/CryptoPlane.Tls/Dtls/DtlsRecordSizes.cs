using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Dtls;

/// <summary>Sizes of records, in bytes (RFC 6347 §4.1, RFC 5246 §6.2).</summary>
public static class DtlsRecordSizes
{
    /// <summary>The header: type, version, epoch, sequence number, length.</summary>
    public const int Header = 13;

    /// <summary>The part of the nonce that a record of AES-GCM carries; ChaCha20-Poly1305 has none.</summary>
    public const int MaxExplicitNonce = 8;

    /// <summary>Most that protection adds to a content: header, explicit nonce, tag.</summary>
    public const int MaxOverhead = Header + MaxExplicitNonce + AeadSizes.Tag;

    /// <summary>Most content of one record.</summary>
    public const int MaxContent = 1 << 14;
}
