using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>The second secret of the schedule: it protects the rest of the handshake.</summary>
internal sealed class HandshakeSecret : ScheduleSecret
{
    /// <summary>Made by <see cref="EarlySecret.ToHandshakeSecret"/> only.</summary>
    internal HandshakeSecret(TlsHash hash, ReadOnlySpan<byte> salt, ReadOnlySpan<byte> sharedSecret) : base(hash) =>
        Hkdf.Extract(hash, salt, sharedSecret, Bytes);

    /// <summary>client_handshake_traffic_secret.</summary>
    /// <param name="transcriptHash">Of ClientHello to ServerHello.</param>
    public TrafficSecret DeriveClientTraffic(ReadOnlySpan<byte> transcriptHash) => TrafficSecret.Derive(Hash, Bytes, "c hs traffic"u8, transcriptHash);

    /// <summary>server_handshake_traffic_secret.</summary>
    /// <param name="transcriptHash">Of ClientHello to ServerHello.</param>
    public TrafficSecret DeriveServerTraffic(ReadOnlySpan<byte> transcriptHash) => TrafficSecret.Derive(Hash, Bytes, "s hs traffic"u8, transcriptHash);

    /// <summary>Goes on to the master secret; this one is zeroed.</summary>
    public MasterSecret ToMasterSecret()
    {
        Span<byte> salt = stackalloc byte[TlsHashes.MaxLength];
        DeriveSalt(salt);
        var next = new MasterSecret(Hash, salt[..Hash.Length()]);
        CryptographicOperations.ZeroMemory(salt);
        Dispose();
        return next;
    }
}
