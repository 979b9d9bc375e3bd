using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Authentication;

/// <summary>Decides whether a peer is who it says to be (RFC 7296 §2.15). Where anything is unclear, it is not.</summary>
internal static class PeerAuthentication
{
    /// <summary>Checks a peer's AUTH. What the peer said in the same message is believed only if this returns Authenticated.</summary>
    /// <param name="expected">How the connection wants the peer to authenticate: a pre-shared key, or trust in certificates.</param>
    /// <param name="allowed">Who may come.</param>
    /// <param name="identity">Who the peer says to be.</param>
    /// <param name="auth">The peer's AUTH payload.</param>
    /// <param name="octets">Of the peer's side, from <see cref="SignedOctets"/>.</param>
    /// <param name="certificates">The peer's CERT payloads.</param>
    /// <param name="prf">Of the IKE SA.</param>
    /// <param name="now">The time of day.</param>
    /// <param name="certificateStatus">What was found of the certificates, if they were looked at.</param>
    public static PeerAuthenticationStatus Verify(
        IkeAuthentication expected,
        IkeIdentityPattern allowed,
        IkeIdentity identity,
        AuthenticationPayload auth,
        ReadOnlySpan<byte> octets,
        IReadOnlyList<CertificatePayload> certificates,
        PrfAlgorithm prf,
        DateTimeOffset now,
        out PeerCertificateStatus? certificateStatus)
    {
        certificateStatus = null;
        if (!allowed.Matches(identity))
            return PeerAuthenticationStatus.IdentityNotAllowed;
        switch (expected)
        {
            case IkePresharedKey key when auth.Method == AuthenticationMethod.SharedKey:
                return SharedKeyAuthentication.Verify(prf, key.Secret, octets, auth.Data)
                    ? PeerAuthenticationStatus.Authenticated : PeerAuthenticationStatus.WrongSharedKey;
            case IkeCertificateTrust trust when auth.Method is not (AuthenticationMethod.SharedKey or AuthenticationMethod.Null):
                certificateStatus = PeerCertificate.Check(certificates, trust, identity, now, out X509Certificate2? certificate);
                if (certificateStatus != PeerCertificateStatus.Trusted || certificate == null)
                    return PeerAuthenticationStatus.BadCertificate;
                using (certificate)
                {
                    return SignatureAuthentication.Verify(certificate, auth, octets)
                        ? PeerAuthenticationStatus.Authenticated : PeerAuthenticationStatus.WrongSignature;
                }
            default:
                return PeerAuthenticationStatus.WrongMethod;
        }
    }
}
