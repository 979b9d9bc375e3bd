using System.Security.Cryptography;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Authentication;

/// <summary>AUTH by a secret that both sides have: a pre-shared key (RFC 7296 §2.15), or the MSK of an EAP method (§2.16).</summary>
internal static class SharedKeyAuthentication
{
    private static ReadOnlySpan<byte> KeyPad => "Key Pad for IKEv2"u8;

    /// <summary>AUTH = prf(prf(secret, "Key Pad for IKEv2"), octets).</summary>
    /// <param name="prf">Of the IKE SA.</param>
    /// <param name="secret">The pre-shared key, or the MSK.</param>
    /// <param name="octets">Of the side that sends it, from <see cref="SignedOctets"/>.</param>
    public static byte[] Compute(PrfAlgorithm prf, SecretBytes secret, ReadOnlySpan<byte> octets)
    {
        using SecretBytes key = new(prf.Length());
        Prf.Compute(prf, secret.Value, KeyPad, key.Writable);
        byte[] auth = new byte[prf.Length()];
        Prf.Compute(prf, key.Value, octets, auth);
        return auth;
    }

    /// <summary>Compares a peer's AUTH with the one that its octets ask for, in a time that does not tell where they differ.</summary>
    /// <param name="prf">Of the IKE SA.</param>
    /// <param name="secret">The pre-shared key, or the MSK.</param>
    /// <param name="octets">Of the peer's side.</param>
    /// <param name="auth">The data of the peer's AUTH payload, of any length.</param>
    public static bool Verify(PrfAlgorithm prf, SecretBytes secret, ReadOnlySpan<byte> octets, ReadOnlySpan<byte> auth) =>
        CryptographicOperations.FixedTimeEquals(Compute(prf, secret, octets), auth);
}
