namespace CryptoPlane.Ike.Authentication;

/// <summary>Why a peer is not who it says to be, for the log; the peer is told AUTHENTICATION_FAILED and nothing else.</summary>
internal enum PeerAuthenticationStatus
{
    Authenticated,

    /// <summary>The connection does not take the identity.</summary>
    IdentityNotAllowed,

    /// <summary>The peer used a method that the connection does not take from it.</summary>
    WrongMethod,

    /// <summary>The MAC of a shared key is wrong.</summary>
    WrongSharedKey,

    /// <summary>The certificates are not good, which <see cref="PeerCertificateStatus"/> explains.</summary>
    BadCertificate,

    /// <summary>The signature was not made with the certificate's key, or not over these octets.</summary>
    WrongSignature,
}
