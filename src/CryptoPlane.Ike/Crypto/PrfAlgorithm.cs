namespace CryptoPlane.Ike.Crypto;

/// <summary>A pseudorandom function by its transform ID (RFC 7296 §3.3.2, transform type 2; RFC 4868).</summary>
public enum PrfAlgorithm : ushort
{
    /// <summary>No function: nothing is negotiated yet.</summary>
    None = 0,

    /// <summary>PRF_HMAC_SHA2_256.</summary>
    HmacSha256 = 5,

    /// <summary>PRF_HMAC_SHA2_384.</summary>
    HmacSha384 = 6,

    /// <summary>PRF_HMAC_SHA2_512.</summary>
    HmacSha512 = 7,
}
