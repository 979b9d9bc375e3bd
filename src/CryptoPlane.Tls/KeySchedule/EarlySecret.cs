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

    /// <summary>The secret of a connection that resumes another, or has a key from elsewhere.</summary>
    /// <param name="hash">The hash that belongs to the key.</param>
    /// <param name="preSharedKey">The caller zeroes it.</param>
    public static EarlySecret Of(TlsHash hash, ReadOnlySpan<byte> preSharedKey) => new(hash, preSharedKey);

    /// <summary>The label of a ticket's binder (RFC 8446 §7.1), of an external key's, and of an imported one's (RFC 9258 §5.2).</summary>
    public static ReadOnlySpan<byte> TicketBinder => "res binder"u8;

    /// <inheritdoc cref="TicketBinder"/>
    public static ReadOnlySpan<byte> ExternalBinder => "ext binder"u8;

    /// <inheritdoc cref="TicketBinder"/>
    public static ReadOnlySpan<byte> ImportedBinder => "imp binder"u8;

    /// <summary>The binder (RFC 8446 §4.2.11.2): shows that whoever offers a pre-shared key has it.</summary>
    /// <param name="label">Says what kind of key it is.</param>
    /// <param name="truncatedHash">Of the transcript up to the ClientHello's list of binders.</param>
    /// <param name="binder">Takes a digest's length of bytes.</param>
    public void ComputeBinder(ReadOnlySpan<byte> label, ReadOnlySpan<byte> truncatedHash, Span<byte> binder)
    {
        // binder_key = Derive-Secret(Early Secret, label, ""), used as the base key of a Finished.
        Span<byte> emptyHash = stackalloc byte[TlsHashes.MaxLength];
        Hash.HashData([], emptyHash);
        using TrafficSecret key = TrafficSecret.Derive(Hash, Bytes, label, emptyHash[..Hash.Length()]);
        key.ComputeFinished(truncatedHash, binder);
    }

    /// <summary>client_early_traffic_secret.</summary>
    /// <param name="transcriptHash">Of the ClientHello.</param>
    public TrafficSecret DeriveClientTraffic(ReadOnlySpan<byte> transcriptHash) => TrafficSecret.Derive(Hash, Bytes, "c e traffic"u8, transcriptHash);

    /// <summary>early_exporter_master_secret.</summary>
    /// <param name="transcriptHash">Of the ClientHello.</param>
    public ExporterSecret DeriveExporter(ReadOnlySpan<byte> transcriptHash) => new(Hash, Bytes, "e exp master"u8, transcriptHash);

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
