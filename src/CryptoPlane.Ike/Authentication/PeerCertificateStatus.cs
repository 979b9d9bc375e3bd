namespace CryptoPlane.Ike.Authentication;

/// <summary>What was found of a peer's certificates: the first thing that was wrong.</summary>
internal enum PeerCertificateStatus
{
    Trusted,

    /// <summary>There was no X.509 certificate among the CERT payloads.</summary>
    Missing,

    /// <summary>There were more than any chain needs.</summary>
    TooMany,

    /// <summary>A certificate cannot be decoded.</summary>
    Malformed,

    /// <summary>No chain leads to a configured root, or something within it is wrong.</summary>
    Untrusted,

    /// <summary>A certificate of the chain is not valid yet, or no longer.</summary>
    NotTimeValid,

    /// <summary>A certificate was revoked, or where revocation is looked up, nobody said that it was not.</summary>
    Revoked,

    /// <summary>A key or signature of the chain is too weak: SHA-1, or an RSA key of fewer than 2048 bits.</summary>
    Weak,

    /// <summary>The certificate is for something else: its key usage or extended key usage excludes IKE.</summary>
    WrongUsage,

    /// <summary>The certificate does not name the identity that the peer says to have.</summary>
    OtherIdentity,
}
