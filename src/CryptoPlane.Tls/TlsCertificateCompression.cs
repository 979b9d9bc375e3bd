namespace CryptoPlane.Tls;

/// <summary>How certificates are compressed (RFC 8879 §3), by its code points.</summary>
public enum TlsCertificateCompression : ushort
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>ZLIB (RFC 1950).</summary>
    Zlib = 1,

    /// <summary>Brotli (RFC 7932), which makes them shorter.</summary>
    Brotli = 2,
}
