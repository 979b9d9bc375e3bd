using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>Shows who we are, and checks who the peer is (RFC 7296 §2.15), by whatever the connection says.</summary>
internal static class Authenticator
{
    /// <summary>Adds our AUTH payload, with our certificates before it.</summary>
    /// <param name="sa">The IKE SA, with keys and transcript.</param>
    /// <param name="connection">Says how.</param>
    /// <param name="identity">Our ID payload.</param>
    /// <param name="payloads">Takes the payloads.</param>
    /// <returns>False where the peer takes no signature that our key can make.</returns>
    public static bool TrySign(IkeSa sa, IkeConnection connection, IdentificationPayload identity, List<IIkePayload> payloads)
    {
        byte[] octets = Octets(sa, sa.IsInitiator, identity);
        if (connection.LocalAuthentication is IkeCertificate own)
        {
            if (SignatureAuthentication.Sign(own.Certificate, octets, sa.Peer.SignatureHashes) is not { } signature)
                return false;
            payloads.AddRange(CertificatePayloads.Certificates(own));
            payloads.Add(signature);
            return true;
        }
        IkePresharedKey key = (IkePresharedKey)connection.LocalAuthentication;
        payloads.Add(new AuthenticationPayload(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(sa.Keys!.Suite.Prf, key.Secret, octets)));
        return true;
    }

    /// <summary>Checks the peer's AUTH.</summary>
    /// <param name="sa">The IKE SA, with keys and transcript.</param>
    /// <param name="connection">Says how the peer authenticates, and who it may be.</param>
    /// <param name="identity">The peer's ID payload.</param>
    /// <param name="remoteId">What it says.</param>
    /// <param name="payloads">The peer's message.</param>
    /// <param name="failure">What is wrong, for people.</param>
    /// <returns>Whether the peer is who it says to be, and that is somebody whom the connection knows.</returns>
    public static bool Verify(
        IkeSa sa, IkeConnection connection, IdentificationPayload identity, IkeIdentity remoteId, IkePayloads payloads, out string failure)
    {
        if (payloads.Authentication is not { } authentication)
        {
            failure = "there is no AUTH payload";
            return false;
        }
        PeerAuthenticationStatus status = PeerAuthentication.Verify(
            connection.RemoteAuthentication, connection.RemoteId, remoteId, authentication, Octets(sa, !sa.IsInitiator, identity), payloads.Certificates,
            sa.Keys!.Suite.Prf, sa.Host.Options.TimeOfDay.GetUtcNow(), out PeerCertificateStatus? certificate);
        failure = status switch
        {
            PeerAuthenticationStatus.Authenticated => "",
            PeerAuthenticationStatus.IdentityNotAllowed => $"the peer is {remoteId}, not {connection.RemoteId}",
            PeerAuthenticationStatus.WrongMethod => $"the peer authenticates by a method that is not its connection's ({(int)authentication.Method})",
            PeerAuthenticationStatus.WrongSharedKey => "the peer's pre-shared key is another one",
            PeerAuthenticationStatus.BadCertificate => $"the peer's certificate is not good: {certificate}",
            _ => "the peer's signature is wrong",
        };
        return status == PeerAuthenticationStatus.Authenticated;
    }

    /// <summary>What the AUTH of a side covers.</summary>
    public static byte[] Octets(IkeSa sa, bool ofInitiator, IdentificationPayload identity)
    {
        InitTranscript transcript = sa.Transcript!;
        IkeKeys keys = sa.Keys!;
        byte[] intermediate = sa.Intermediate?.Result() ?? [];
        return ofInitiator
            ? SignedOctets.Create(keys.Suite.Prf, transcript.Request, transcript.ResponderNonce, keys.SkPi, identity.Body, intermediate)
            : SignedOctets.Create(keys.Suite.Prf, transcript.Response, transcript.InitiatorNonce, keys.SkPr, identity.Body, intermediate);
    }
}
