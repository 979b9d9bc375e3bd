using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>
/// A secret of the key schedule (RFC 8446 §7.1): pinned, so that the collector leaves no copies behind, and zeroed on dispose.
/// </summary>
/// <remarks>
/// The schedule is a chain of types: <see cref="EarlySecret"/> → <see cref="HandshakeSecret"/> → <see cref="MasterSecret"/>. Each is
/// made only from the one before it, which is zeroed by that, so that no secret can be used out of its turn.
/// </remarks>
internal abstract class ScheduleSecret : IDisposable
{
    private byte[]? _bytes;

    private protected ScheduleSecret(TlsHash hash)
    {
        Hash = hash;
        _bytes = GC.AllocateArray<byte>(hash.Length(), pinned: true);
    }

    /// <summary>The hash of the cipher suite.</summary>
    public TlsHash Hash { get; }

    /// <summary>The secret itself, a digest's length of bytes.</summary>
    /// <exception cref="ObjectDisposedException">The next secret was made from it, or it was disposed of.</exception>
    private protected Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(_bytes == null, this);
            return _bytes;
        }
    }

    /// <summary>Derive-Secret(this, "derived", "") of RFC 8446 §7.1: the salt of the next extraction.</summary>
    private protected void DeriveSalt(Span<byte> salt)
    {
        Span<byte> emptyHash = stackalloc byte[TlsHashes.MaxLength];
        Hash.HashData([], emptyHash);
        Hkdf.DeriveSecret(Hash, Bytes, "derived"u8, emptyHash[..Hash.Length()], salt);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_bytes != null)
            CryptographicOperations.ZeroMemory(_bytes);
        _bytes = null;
    }
}
