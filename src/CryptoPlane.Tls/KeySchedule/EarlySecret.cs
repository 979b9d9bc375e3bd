using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>The first secret of the schedule: HKDF-Extract(0, PSK).</summary>
internal sealed class EarlySecret : ScheduleSecret
{
    private EarlySecret(TlsHash hash, ReadOnlySpan<byte> preSharedKey) : base(hash) =>
        Hkdf.Extract(hash, [], preSharedKey, Bytes);

    /// <summary>RFC 8446 §7.1: without a PSK its place is taken by a digest's length of zeros.</summary>
    public static EarlySecret WithoutPreSharedKey(TlsHash hash)
    {
        Span<byte> zeros = stackalloc byte[TlsHashes.MaxLength];
        zeros.Clear();
        return new EarlySecret(hash, zeros[..hash.Length()]);
    }

    /// <summary>Goes on to the handshake secret; this one is zeroed.</summary>
    /// <param name="sharedSecret">The result of the key agreement. The caller zeroes it.</param>
    public HandshakeSecret ToHandshakeSecret(ReadOnlySpan<byte> sharedSecret)
    {
        Span<byte> salt = stackalloc byte[TlsHashes.MaxLength];
        DeriveSalt(salt);
        var next = new HandshakeSecret(Hash, salt[..Hash.Length()], sharedSecret);
        CryptographicOperations.ZeroMemory(salt);
        Dispose();
        return next;
    }
}
