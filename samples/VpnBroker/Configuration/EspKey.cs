using System.Security.Cryptography;

namespace VpnBroker.Configuration;

/// <summary>The key and salt of a static ESP SA. It shows nothing of itself but its fingerprint.</summary>
public sealed class EspKey
{
    /// <summary>Size of the salt (RFC 4106 §4), in bytes.</summary>
    public const int SaltSize = 4;

    private readonly byte[] _key;
    private readonly byte[] _salt;

    /// <summary>Takes copies of a key and a salt.</summary>
    /// <param name="key">16 or 32 bytes: AES-128 or AES-256.</param>
    /// <param name="salt">4 bytes.</param>
    /// <exception cref="ArgumentException">A size is wrong.</exception>
    public EspKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> salt)
    {
        if (key.Length is not (16 or 32))
            throw new ArgumentException($"An AES-GCM key has 16 or 32 bytes, not {key.Length}.", nameof(key));
        if (salt.Length != SaltSize)
            throw new ArgumentException($"The salt has {SaltSize} bytes, not {salt.Length}.", nameof(salt));
        _key = key.ToArray();
        _salt = salt.ToArray();
        Fingerprint = ComputeFingerprint(key);
    }

    /// <summary>The key: 16 or 32 bytes.</summary>
    public ReadOnlySpan<byte> Key => _key;

    /// <summary>The salt: 4 bytes.</summary>
    public ReadOnlySpan<byte> Salt => _salt;

    /// <summary>
    /// 32 hexadecimal digits that name the key (without the salt: two SAs with one key and two salts are refused as well).
    /// A hash under its own label; it tells nothing about a random key.
    /// </summary>
    public string Fingerprint { get; }

    private static string ComputeFingerprint(ReadOnlySpan<byte> key)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("CryptoPlane static ESP key\0"u8);
        hash.AppendData(key);
        hash.GetHashAndReset(digest);
        return Convert.ToHexStringLower(digest[..16]);
    }
}
