using System.Buffers.Binary;
using System.Net;
using System.Security.Cryptography;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.Responder;

/// <summary>
/// Cookies that show that a peer receives at its address, and cost no memory (RFC 7296 §2.6): the number of a secret, then a keyed hash
/// of Ni, IPi and SPIi. The secret changes with time; cookies of the one before stay good as long again.
/// </summary>
internal sealed class StatelessCookie : IDisposable
{
    /// <summary>Bytes of a cookie: §2.6 allows 1 to 64.</summary>
    public const int Length = 1 + HMACSHA256.HashSizeInBytes;

    private const int AddressSize = 16;

    private readonly IkeRandomness _randomness;
    private readonly long _lifetime;
    private readonly SecretBytes _current = new(HMACSHA256.HashSizeInBytes);
    private readonly SecretBytes _previous = new(HMACSHA256.HashSizeInBytes);
    private byte _number;
    private long _rotateAt;

    /// <summary>Makes the first secrets.</summary>
    /// <param name="randomness">Where secrets come from.</param>
    /// <param name="lifetime">After how many milliseconds there is a new secret.</param>
    public StatelessCookie(IkeRandomness randomness, long lifetime)
    {
        _randomness = randomness;
        _lifetime = lifetime;
        randomness(_previous.Writable);
        randomness(_current.Writable);
    }

    /// <summary>The cookie for a request.</summary>
    public byte[] Make(IPAddress initiator, ulong initiatorSpi, ReadOnlySpan<byte> nonce, long now)
    {
        Rotate(now);
        byte[] cookie = new byte[Length];
        cookie[0] = _number;
        Compute(_current, _number, initiator, initiatorSpi, nonce, cookie.AsSpan(1));
        return cookie;
    }

    /// <summary>Whether a cookie is one of these, made for this request not long ago.</summary>
    public bool IsGood(ReadOnlySpan<byte> cookie, IPAddress initiator, ulong initiatorSpi, ReadOnlySpan<byte> nonce, long now)
    {
        Rotate(now);
        if (cookie.Length != Length)
            return false;
        bool isCurrent = cookie[0] == _number;
        if (!isCurrent && cookie[0] != unchecked((byte)(_number - 1)))
            return false;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        Compute(isCurrent ? _current : _previous, cookie[0], initiator, initiatorSpi, nonce, expected);
        return CryptographicOperations.FixedTimeEquals(expected, cookie[1..]);
    }

    /// <summary>Zeroes the secrets.</summary>
    public void Dispose()
    {
        _current.Dispose();
        _previous.Dispose();
    }

    private void Rotate(long now)
    {
        if (_rotateAt == 0)
            _rotateAt = now + _lifetime;
        if (now < _rotateAt)
            return;
        // After a long silence the current secret is as old as the one before it, and no cookie of either may be good.
        if (now - _rotateAt >= _lifetime)
            _randomness(_previous.Writable);
        else
            _current.Value.CopyTo(_previous.Writable);
        _randomness(_current.Writable);
        _number++;
        _rotateAt = now + _lifetime;
    }

    private static void Compute(
        SecretBytes secret, byte number, IPAddress initiator, ulong initiatorSpi, ReadOnlySpan<byte> nonce, Span<byte> destination)
    {
        // Fixed sizes before the nonce, so that no two requests have the same input.
        Span<byte> input = stackalloc byte[2 + AddressSize + sizeof(ulong) + Wire.NoncePayload.MaximumLength];
        input[0] = number;
        initiator.TryWriteBytes(input.Slice(2, AddressSize), out int addressLength);
        input[1] = (byte)addressLength;
        input.Slice(2 + addressLength, AddressSize - addressLength).Clear();
        BinaryPrimitives.WriteUInt64BigEndian(input[(2 + AddressSize)..], initiatorSpi);
        nonce.CopyTo(input[(2 + AddressSize + sizeof(ulong))..]);
        HMACSHA256.HashData(secret.Value, input[..(2 + AddressSize + sizeof(ulong) + nonce.Length)], destination);
    }
}
