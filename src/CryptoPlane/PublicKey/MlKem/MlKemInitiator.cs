using System.Security.Cryptography;

namespace CryptoPlane.PublicKey.MlKem;

/// <summary>The initiator's decapsulation key.</summary>
internal sealed class MlKemInitiator(KeyExchangeGroup group, byte[] key) : KeyExchangeInitiator(group, MlKem768Algorithm.EncapsulationKey(key).ToArray())
{
    private bool _disposed;

    /// <summary>Erases the key of an exchange that was abandoned.</summary>
    ~MlKemInitiator() => Dispose(false);

    /// <inheritdoc/>
    public override bool TryFinish(ReadOnlySpan<byte> responderShare, Span<byte> secret)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Group.CheckSecret(secret);
        if (responderShare.Length != MlKem768Algorithm.CiphertextSize)
        {
            secret.Clear();
            return false;
        }
        // FIPS 203 §7.3: a ciphertext of the right length is never refused; a wrong one gives a secret that nobody else has.
        MlKem768Algorithm.Decapsulate(key, responderShare, secret);
        GC.KeepAlive(this);
        return true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(key);
        _disposed = true;
    }
}
