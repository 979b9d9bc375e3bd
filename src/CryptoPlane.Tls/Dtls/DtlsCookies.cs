using System.Security.Cryptography;

namespace CryptoPlane.Tls.Dtls;

/// <summary>
/// Cookies that show that a client receives at its address, and cost no memory (RFC 6347 §4.2.1): the number of a secret, then a keyed hash
/// of the address and of the ClientHello's parameters. The secret changes with time; cookies of the one before stay good as long again.
/// </summary>
internal sealed class DtlsCookies : IDisposable
{
    /// <summary>Bytes of a cookie: clients that are older than DTLS 1.2 take 32 at most.</summary>
    public const int Size = 1 + MacSize;

    private const int MacSize = 24;

    private readonly DtlsRandomness _randomness;
    private readonly long _lifetime;
    private readonly byte[] _current = GC.AllocateArray<byte>(HMACSHA256.HashSizeInBytes, pinned: true);
    private readonly byte[] _previous = GC.AllocateArray<byte>(HMACSHA256.HashSizeInBytes, pinned: true);
    private byte _number;
    private long? _rotateAt;

    /// <summary>Makes the first secrets.</summary>
    /// <param name="randomness">Where secrets come from.</param>
    /// <param name="lifetime">After how many milliseconds there is a new secret.</param>
    public DtlsCookies(DtlsRandomness randomness, long lifetime)
    {
        _randomness = randomness;
        _lifetime = lifetime;
        randomness(_previous);
        randomness(_current);
    }

    /// <summary>Makes the cookie of a ClientHello.</summary>
    public void Make(in DtlsHelloView hello, ReadOnlySpan<byte> peer, long now, Span<byte> cookie)
    {
        Rotate(now);
        cookie[0] = _number;
        Compute(_current, _number, hello, peer, cookie[1..Size]);
    }

    /// <summary>Whether a ClientHello's cookie is one of these, made for it not long ago.</summary>
    public bool IsGood(in DtlsHelloView hello, ReadOnlySpan<byte> peer, long now)
    {
        Rotate(now);
        ReadOnlySpan<byte> cookie = hello.Cookie;
        if (cookie.Length != Size)
            return false;
        bool isCurrent = cookie[0] == _number;
        if (!isCurrent && cookie[0] != unchecked((byte)(_number - 1)))
            return false;
        Span<byte> expected = stackalloc byte[MacSize];
        Compute(isCurrent ? _current : _previous, cookie[0], hello, peer, expected);
        return CryptographicOperations.FixedTimeEquals(expected, cookie[1..]);
    }

    /// <summary>Zeroes the secrets.</summary>
    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_current);
        CryptographicOperations.ZeroMemory(_previous);
    }

    private void Rotate(long now)
    {
        _rotateAt ??= now + _lifetime;
        if (now < _rotateAt)
            return;
        // After a long silence the current secret is as old as the one before it, and no cookie of either may be good.
        if (now - _rotateAt >= _lifetime)
            _randomness(_previous);
        else
            _current.CopyTo(_previous, 0);
        _randomness(_current);
        _number++;
        _rotateAt = now + _lifetime;
    }

    /// <summary>RFC 6347 §4.2.1: Cookie = HMAC(Secret, Client-IP, Client-Parameters): version, random, session_id, suites, compression.</summary>
    private static void Compute(byte[] secret, byte number, in DtlsHelloView hello, ReadOnlySpan<byte> peer, Span<byte> mac)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret);
        // Lengths before what varies, so that no two requests have the same input.
        hmac.AppendData([
            number, (byte)peer.Length, (byte)(hello.Version >> 8), (byte)hello.Version, (byte)hello.SessionId.Length,
            (byte)(hello.CipherSuites.Count >> 8), (byte)hello.CipherSuites.Count]);
        hmac.AppendData(peer);
        hmac.AppendData(hello.Random);
        hmac.AppendData(hello.SessionId);
        for (int i = 0; i < hello.CipherSuites.Count; i++)
            hmac.AppendData([(byte)(hello.CipherSuites[i] >> 8), (byte)hello.CipherSuites[i]]);
        hmac.AppendData(hello.CompressionMethods);
        Span<byte> whole = stackalloc byte[HMACSHA256.HashSizeInBytes];
        hmac.GetHashAndReset(whole);
        whole[..MacSize].CopyTo(mac);
    }
}
