using System.Buffers.Binary;
using System.Security.Cryptography;

namespace VpnBroker.Sessions;

/// <summary>
/// What the broker keeps of a session cookie: its SHA-256. A cookie is 256 random bits, so the hash tells nothing about it, and
/// looking a hash up in a table gives no prefix of a cookie away.
/// </summary>
/// <param name="High">The hash's first 16 bytes.</param>
/// <param name="Low">The hash's last 16 bytes.</param>
public readonly record struct CookieHash(UInt128 High, UInt128 Low)
{
    /// <summary>Length of a cookie's text form: 64 hexadecimal digits.</summary>
    public const int TextLength = 64;

    private const int CookieSize = 32;

    /// <summary>Makes a cookie.</summary>
    /// <param name="cookie">The text for the client, which nobody keeps.</param>
    /// <returns>The hash of the cookie.</returns>
    public static CookieHash Create(out string cookie)
    {
        Span<byte> bytes = stackalloc byte[CookieSize];
        RandomNumberGenerator.Fill(bytes);
        cookie = Convert.ToHexStringLower(bytes);
        CookieHash hash = Of(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return hash;
    }

    /// <summary>The hash of a cookie's text form.</summary>
    /// <returns>False when the text is no cookie.</returns>
    public static bool TryParse(ReadOnlySpan<char> text, out CookieHash hash)
    {
        Span<byte> bytes = stackalloc byte[CookieSize];
        hash = default;
        if (text.Length != TextLength || Convert.FromHexString(text, bytes, out _, out int written) != System.Buffers.OperationStatus.Done || written != CookieSize)
            return false;
        hash = Of(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        return true;
    }

    private static CookieHash Of(ReadOnlySpan<byte> cookie)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(cookie, digest);
        return new CookieHash(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]));
    }
}
