using System.Buffers;
using System.Security.Cryptography;

namespace CryptoPlane.Tls;

/// <summary>
/// A key that tickets are sealed with (a STEK), by the construction that RFC 5077 §4 recommends: AES-CBC (here with 256 bits), then
/// HMAC-SHA-256 over everything; and a name, by which a ticket says which key it needs.
/// </summary>
/// <remarks>
/// Whoever has the key reads the pre-shared keys of all tickets under it, and can pretend to be a client of theirs. Safe for every thread;
/// dispose of it when no connection uses it. Not an AEAD of the framework, since a forged ticket would buy an exception from that.
/// </remarks>
public sealed class TlsTicketKey : IDisposable
{
    /// <summary>Bytes of a name.</summary>
    public const int NameSize = 16;

    /// <summary>Bytes of a key.</summary>
    public const int KeySize = 32;

    private const int BlockSize = 16, MacSize = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _name;

    // Pinned, lest the collector leave copies: the cipher's key, then the MAC's.
    private readonly byte[] _keys = GC.AllocateArray<byte>(2 * KeySize, pinned: true);
    private bool _disposed;

    /// <summary>Takes a key that several servers share.</summary>
    /// <param name="name">16 bytes that no other key has; not secret.</param>
    /// <param name="key">32 random bytes, which the caller erases.</param>
    /// <exception cref="ArgumentException">One of them has another length.</exception>
    public TlsTicketKey(ReadOnlySpan<byte> name, ReadOnlySpan<byte> key)
    {
        if (name.Length != NameSize)
            throw new ArgumentException($"The name of a ticket key has {NameSize} bytes, not {name.Length}.", nameof(name));
        if (key.Length != KeySize)
            throw new ArgumentException($"A ticket key has {KeySize} bytes, not {key.Length}.", nameof(key));
        _name = name.ToArray();
        HKDF.Expand(HashAlgorithmName.SHA256, key, _keys, "CryptoPlane TLS ticket"u8);
    }

    /// <summary>Makes a random key.</summary>
    public static TlsTicketKey Create()
    {
        Span<byte> random = stackalloc byte[NameSize + KeySize];
        RandomNumberGenerator.Fill(random);
        var key = new TlsTicketKey(random[..NameSize], random[NameSize..]);
        CryptographicOperations.ZeroMemory(random);
        return key;
    }

    /// <summary>The key's name.</summary>
    public ReadOnlySpan<byte> Name => _name;

    /// <summary>Erases a key that a rotation has let go: handshakes on other threads may have used it until then.</summary>
    ~TlsTicketKey() => CryptographicOperations.ZeroMemory(_keys);

    /// <summary>Erases the key.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_keys);
        GC.SuppressFinalize(this);
    }

    /// <summary>Whether a ticket names this key.</summary>
    internal bool IsNamedBy(ReadOnlySpan<byte> ticket) => ticket.StartsWith(_name);

    /// <summary>Seals: name, initialization vector, ciphertext, MAC.</summary>
    internal void Protect(ReadOnlySpan<byte> plaintext, IBufferWriter<byte> ticket)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int sealedLength = (plaintext.Length / BlockSize + 1) * BlockSize;
        int macAt = NameSize + BlockSize + sealedLength;
        Span<byte> whole = ticket.GetSpan(macAt + MacSize)[..(macAt + MacSize)];
        Name.CopyTo(whole);
        Span<byte> vector = whole.Slice(NameSize, BlockSize);
        RandomNumberGenerator.Fill(vector);
        using Aes cipher = Cipher();
        cipher.EncryptCbc(plaintext, vector, whole.Slice(NameSize + BlockSize, sealedLength));
        HMACSHA256.HashData(_keys.AsSpan(KeySize), whole[..macAt], whole[macAt..]);
        GC.KeepAlive(this);
        ticket.Advance(whole.Length);
    }

    /// <summary>Opens what <see cref="Protect"/> sealed.</summary>
    internal bool TryUnprotect(ReadOnlySpan<byte> ticket, Span<byte> plaintext, out int bytesWritten)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        bytesWritten = 0;
        int macAt = ticket.Length - MacSize, sealedLength = macAt - NameSize - BlockSize;
        if (!IsNamedBy(ticket) || sealedLength <= 0 || sealedLength % BlockSize != 0 || plaintext.Length < sealedLength)
            return false;
        Span<byte> mac = stackalloc byte[MacSize];
        HMACSHA256.HashData(_keys.AsSpan(KeySize), ticket[..macAt], mac);
        if (!CryptographicOperations.FixedTimeEquals(mac, ticket[macAt..]))
            return false;
        using Aes cipher = Cipher();
        GC.KeepAlive(this);
        return cipher.TryDecryptCbc(ticket.Slice(NameSize + BlockSize, sealedLength), ticket.Slice(NameSize, BlockSize), plaintext, out bytesWritten);
    }

    private Aes Cipher()
    {
        var cipher = Aes.Create();
        cipher.SetKey(_keys.AsSpan(0, KeySize));
        return cipher;
    }
}
