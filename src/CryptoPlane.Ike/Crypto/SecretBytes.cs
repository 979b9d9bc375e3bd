using System.Security.Cryptography;

namespace CryptoPlane.Ike.Crypto;

/// <summary>
/// Secret bytes: pinned, so that the collector leaves no copies behind, and zeroed when they are disposed of. They show nothing of
/// themselves as text. Control threads only.
/// </summary>
public sealed class SecretBytes : IDisposable
{
    private byte[]? _bytes;

    /// <summary>Makes room for a secret; it holds zeros until <see cref="Writable"/> is filled.</summary>
    /// <param name="length">Bytes.</param>
    internal SecretBytes(int length) => _bytes = GC.AllocateArray<byte>(length, pinned: true);

    /// <summary>Takes a copy of a secret. The caller zeroes its own.</summary>
    /// <param name="secret">Of any length.</param>
    public SecretBytes(ReadOnlySpan<byte> secret)
        : this(secret.Length) => secret.CopyTo(_bytes);

    /// <summary>Bytes of the secret.</summary>
    /// <exception cref="ObjectDisposedException">The secret was disposed of.</exception>
    public int Length => Value.Length;

    /// <summary>The secret: valid until it is disposed of, and not to be copied to where it would stay.</summary>
    /// <exception cref="ObjectDisposedException">The secret was disposed of.</exception>
    public ReadOnlySpan<byte> Value => Writable;

    /// <summary>The secret, for whoever makes it.</summary>
    /// <exception cref="ObjectDisposedException">The secret was disposed of.</exception>
    internal Span<byte> Writable
    {
        get
        {
            ObjectDisposedException.ThrowIf(_bytes == null, this);
            return _bytes;
        }
    }

    /// <summary>Zeroes the secret.</summary>
    public void Dispose()
    {
        if (_bytes != null)
            CryptographicOperations.ZeroMemory(_bytes);
        _bytes = null;
    }
}
