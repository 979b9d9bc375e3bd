namespace CryptoPlane.Ike.Wire;

/// <summary>How AUTH was made (RFC 7296 §3.8, RFC 4754, RFC 7427).</summary>
internal enum AuthenticationMethod : byte
{
    /// <summary>RSASSA-PKCS1-v1_5, usually with SHA-1.</summary>
    RsaSignature = 1,

    /// <summary>PRF over a pre-shared key, or over EAP's MSK.</summary>
    SharedKey = 2,

    EcdsaSha256P256 = 9,
    EcdsaSha384P384 = 10,
    EcdsaSha512P521 = 11,
    Null = 13,

    /// <summary>RFC 7427: the algorithm goes before the signature.</summary>
    DigitalSignature = 14,
}
