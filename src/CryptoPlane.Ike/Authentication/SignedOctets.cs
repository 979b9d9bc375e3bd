using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Authentication;

/// <summary>What AUTH is computed over (RFC 7296 §2.15).</summary>
internal static class SignedOctets
{
    /// <summary>InitiatorSignedOctets or ResponderSignedOctets: the side's first message | the other side's nonce | prf(SK_p, its ID) [| IntAuth].</summary>
    /// <param name="prf">Of the IKE SA.</param>
    /// <param name="firstMessage">
    /// The IKE_SA_INIT message that the side sent, whole, from the header on: the last one, where COOKIE or INVALID_KE_PAYLOAD made it repeat it.
    /// </param>
    /// <param name="otherNonce">Nr for the initiator, Ni for the responder.</param>
    /// <param name="skP">SK_pi for the initiator, SK_pr for the responder.</param>
    /// <param name="identityBody">The body of its ID payload as it is on the wire: type, reserved bytes, data.</param>
    /// <param name="intermediate">IntAuth, where there was an IKE_INTERMEDIATE exchange (RFC 9242 §3.3.2).</param>
    public static byte[] Create(
        PrfAlgorithm prf,
        ReadOnlySpan<byte> firstMessage,
        ReadOnlySpan<byte> otherNonce,
        ReadOnlySpan<byte> skP,
        ReadOnlySpan<byte> identityBody,
        ReadOnlySpan<byte> intermediate = default)
    {
        int length = firstMessage.Length + otherNonce.Length;
        byte[] octets = new byte[length + prf.Length() + intermediate.Length];
        firstMessage.CopyTo(octets);
        otherNonce.CopyTo(octets.AsSpan(firstMessage.Length));
        Prf.Compute(prf, skP, identityBody, octets.AsSpan(length));
        intermediate.CopyTo(octets.AsSpan(length + prf.Length()));
        return octets;
    }
}
