using CryptoPlane.PublicKey;

namespace CryptoPlane.Ike.Crypto;

/// <summary>The initiator's half of one key exchange: a fresh private key and the KE payload's data to send. For one exchange.</summary>
/// <remarks>Costs tens of microseconds to a millisecond of CPU time. The private key is libcrypto's, which erases it.</remarks>
internal sealed class IkeKeyExchange : IDisposable
{
    private const byte UncompressedPoint = 4;

    private readonly KeyExchangeInitiator _initiator;

    /// <summary>Generates a key pair.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">libcrypto failed (out of memory or of randomness).</exception>
    public IkeKeyExchange(KeyExchangeMethod method)
    {
        Method = method;
        _initiator = method.Group().CreateInitiator();
    }

    /// <summary>The method.</summary>
    public KeyExchangeMethod Method { get; }

    /// <summary>The Key Exchange Data to send (RFC 7296 §3.4).</summary>
    public ReadOnlyMemory<byte> PublicValue => _initiator.Share[Method.PrefixLength()..];

    /// <summary>Agrees with the responder's answer.</summary>
    /// <param name="responderValue">The Key Exchange Data that the peer sent: untrusted, of any length.</param>
    /// <returns>g^ir, which the caller disposes of; null if the value is not a valid one of the method.</returns>
    public SecretBytes? Finish(ReadOnlySpan<byte> responderValue)
    {
        KeyExchangeGroup group = _initiator.Group;
        SecretBytes secret = new(group.SecretSize);
        if (TryMakeShare(Method, responderValue, group.ResponderShareSize, out byte[] share) && _initiator.TryFinish(share, secret.Writable))
            return secret;
        secret.Dispose();
        return null;
    }

    /// <summary>Generates the responder's key pair and agrees with the initiator's value.</summary>
    /// <param name="method">The method.</param>
    /// <param name="initiatorValue">The Key Exchange Data that the peer sent: untrusted, of any length.</param>
    /// <param name="publicValue">The Key Exchange Data to send; empty where the peer's is not valid.</param>
    /// <returns>g^ir, which the caller disposes of; null if the peer's value is not a valid one of the method.</returns>
    /// <exception cref="System.Security.Cryptography.CryptographicException">libcrypto failed (out of memory or of randomness).</exception>
    public static SecretBytes? Respond(KeyExchangeMethod method, ReadOnlySpan<byte> initiatorValue, out ReadOnlyMemory<byte> publicValue)
    {
        KeyExchangeGroup group = method.Group();
        publicValue = default;
        if (!TryMakeShare(method, initiatorValue, group.InitiatorShareSize, out byte[] share))
            return null;
        byte[] ours = new byte[group.ResponderShareSize];
        SecretBytes secret = new(group.SecretSize);
        if (!group.TryRespond(share, ours, secret.Writable))
        {
            secret.Dispose();
            return null;
        }
        publicValue = ours.AsMemory(method.PrefixLength());
        return secret;
    }

    /// <summary>Erases the private key.</summary>
    public void Dispose() => _initiator.Dispose();

    /// <summary>Brings the peer's value into the encoding of the group, which checks that it is a point of the curve.</summary>
    private static bool TryMakeShare(KeyExchangeMethod method, ReadOnlySpan<byte> value, int size, out byte[] share)
    {
        int prefix = method.PrefixLength();
        share = [];
        if (value.Length != size - prefix)
            return false;
        share = new byte[size];
        if (prefix != 0)
            share[0] = UncompressedPoint;
        value.CopyTo(share.AsSpan(prefix));
        return true;
    }
}
