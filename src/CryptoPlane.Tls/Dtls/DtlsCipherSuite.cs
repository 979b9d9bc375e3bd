namespace CryptoPlane.Tls.Dtls;

/// <summary>Cipher suites of DTLS 1.2 with a pre-shared key, by their code points. The number 0 stands for none.</summary>
public enum DtlsCipherSuite : ushort
{
    /// <summary>No suite: the value of a state that is not initialized.</summary>
    None = 0,

    /// <summary>TLS_PSK_WITH_AES_128_GCM_SHA256 (RFC 5487).</summary>
    PskAes128GcmSha256 = 0x00A8,

    /// <summary>TLS_PSK_WITH_AES_256_GCM_SHA384 (RFC 5487).</summary>
    PskAes256GcmSha384 = 0x00A9,

    /// <summary>TLS_PSK_WITH_CHACHA20_POLY1305_SHA256 (RFC 7905).</summary>
    PskChaCha20Poly1305Sha256 = 0xCCAB,
}
