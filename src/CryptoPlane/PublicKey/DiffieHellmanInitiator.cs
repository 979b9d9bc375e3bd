using CryptoPlane.Interop;

namespace CryptoPlane.PublicKey;

/// <summary>The initiator's private key, held by libcrypto, which erases it when it frees it.</summary>
internal sealed class DiffieHellmanInitiator : KeyExchangeInitiator
{
    private readonly DiffieHellmanGroup _group;
    private nint _key;

    internal DiffieHellmanInitiator(DiffieHellmanGroup group, nint key, byte[] share)
        : base(group, share)
    {
        _group = group;
        _key = key;
    }

    /// <summary>Frees the key of an exchange that was abandoned.</summary>
    ~DiffieHellmanInitiator() => Dispose(false);

    /// <inheritdoc/>
    public override bool TryFinish(ReadOnlySpan<byte> responderShare, Span<byte> secret)
    {
        ObjectDisposedException.ThrowIf(_key == 0, this);
        _group.CheckSecret(secret);
        bool agreed = _group.TryDerive(_key, responderShare, secret);
        GC.KeepAlive(this);
        return agreed;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        LibCrypto.EVP_PKEY_free(_key);
        _key = 0;
    }
}
