using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Session;

/// <summary>Shows who we are, and checks who the peer is (RFC 7296 §2.15), by whatever the connection says.</summary>
internal static class Authenticator
{
    /// <summary>Our AUTH payload, with our certificates before it.</summary>
    /// <param name="sa">The IKE SA, with keys and transcript.</param>
    /// <param name="connection">Says how.</param>
    /// <param name="identity">Our ID payload.</param>
    /// <param name="payloads">Takes the payloads.</param>
    public static void Sign(IkeSa sa, IkeConnection connection, IdentificationPayload identity, List<IIkePayload> payloads)
    {
        byte[] octets = Octets(sa, sa.IsInitiator, identity);
        IkePresharedKey key = (IkePresharedKey)connection.LocalAuthentication;
        payloads.Add(new AuthenticationPayload(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(sa.Keys!.Suite.Prf, key.Secret, octets)));
    }

    /// <summary>Checks the peer's AUTH.</summary>
    /// <param name="sa">The IKE SA, with keys and transcript.</param>
    /// <param name="connection">Says how the peer authenticates, and who it may be.</param>
    /// <param name="identity">The peer's ID payload.</param>
    /// <param name="payloads">The peer's message.</param>
    /// <param name="failure">What is wrong, for people.</param>
    /// <returns>Whether the peer is who it says to be, and that is somebody whom the connection knows.</returns>
    public static bool Verify(IkeSa sa, IkeConnection connection, IdentificationPayload identity, IkePayloads payloads, out string failure)
    {
        failure = "";
        if (payloads.Authentication is not { } authentication)
        {
            failure = "there is no AUTH payload";
            return false;
        }
        byte[] octets = Octets(sa, !sa.IsInitiator, identity);
        if (connection.RemoteAuthentication is IkePresharedKey key)
        {
            if (authentication.Method != AuthenticationMethod.SharedKey)
                failure = $"it authenticates by method {(int)authentication.Method} instead of a pre-shared key";
            else if (!SharedKeyAuthentication.Verify(sa.Keys!.Suite.Prf, key.Secret, octets, authentication.Data))
                failure = "its pre-shared key is another one";
        }
        else
        {
            failure = "its authentication is not supported";
        }
        return failure.Length == 0;
    }

    private static byte[] Octets(IkeSa sa, bool ofInitiator, IdentificationPayload identity)
    {
        InitTranscript transcript = sa.Transcript!;
        IkeKeys keys = sa.Keys!;
        return ofInitiator
            ? SignedOctets.Create(keys.Suite.Prf, transcript.Request, transcript.ResponderNonce, keys.SkPi, identity.Body)
            : SignedOctets.Create(keys.Suite.Prf, transcript.Response, transcript.InitiatorNonce, keys.SkPr, identity.Body);
    }
}
