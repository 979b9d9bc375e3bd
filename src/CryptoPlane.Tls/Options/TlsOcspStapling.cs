namespace CryptoPlane.Tls;

/// <summary>Whether a client asks its server for an OCSP response (RFC 6960) with the certificate (RFC 8446 §4.4.2.1).</summary>
public enum TlsOcspStapling
{
    /// <summary>It does not.</summary>
    None,

    /// <summary>It does; a response that comes must be a good one, and none need come.</summary>
    Requested,

    /// <summary>It does, and refuses a certificate that comes without a good one.</summary>
    Required,
}
