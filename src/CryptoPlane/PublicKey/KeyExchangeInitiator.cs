namespace CryptoPlane.PublicKey;

/// <summary>The initiator's half of one key exchange: a fresh private key and the share to send. Used by one thread at a time, for one exchange.</summary>
public abstract class KeyExchangeInitiator : IDisposable
{
    private protected KeyExchangeInitiator(KeyExchangeGroup group, byte[] share)
    {
        Group = group;
        Share = share;
    }

    /// <summary>The group of the exchange.</summary>
    public KeyExchangeGroup Group { get; }

    /// <summary>What to send to the responder: <see cref="KeyExchangeGroup.InitiatorShareSize"/> bytes.</summary>
    public ReadOnlyMemory<byte> Share { get; }

    /// <summary>Agrees with the responder's answer.</summary>
    /// <param name="responderShare">What the peer sent: untrusted, of any length.</param>
    /// <param name="secret">Receives <see cref="KeyExchangeGroup.SecretSize"/> bytes; the caller zeroes them after use.</param>
    /// <returns>False if the answer is not a valid share of the group; the secret is then zero.</returns>
    /// <exception cref="ArgumentException"><paramref name="secret"/> has the wrong size.</exception>
    public abstract bool TryFinish(ReadOnlySpan<byte> responderShare, Span<byte> secret);

    /// <summary>Erases the private key.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Erases the private key.</summary>
    /// <param name="disposing">False when called from a finalizer.</param>
    protected abstract void Dispose(bool disposing);
}
