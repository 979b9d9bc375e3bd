namespace CryptoPlane.Ike.Wire;

/// <summary>What a CERT or CERTREQ payload holds (RFC 7296 §3.6).</summary>
internal enum CertificateEncoding : byte
{
    /// <summary>One X.509 certificate in DER.</summary>
    X509Signature = 4,

    CertificateRevocationList = 7,
    HashAndUrlOfCertificate = 12,
    HashAndUrlOfBundle = 13,

    /// <summary>RFC 7670.</summary>
    RawPublicKey = 15,
}
