using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>exporter_master_secret or early_exporter_master_secret: keying material for protocols above TLS (RFC 8446 §7.5).</summary>
internal sealed class ExporterSecret : ScheduleSecret
{
    /// <summary>Made by <see cref="MasterSecret.DeriveExporter"/> and <see cref="EarlySecret.DeriveExporter"/> only.</summary>
    internal ExporterSecret(TlsHash hash, ReadOnlySpan<byte> from, ReadOnlySpan<byte> label, ReadOnlySpan<byte> transcriptHash) : base(hash) =>
        Hkdf.DeriveSecret(hash, from, label, transcriptHash, Bytes);

    /// <summary>Exports keying material.</summary>
    /// <param name="label">Says what it is for; at most 249 bytes.</param>
    /// <param name="context">Of any length. RFC 8446 §7.5: no context and an empty one give the same.</param>
    /// <param name="output">Filled; at most 255 digests.</param>
    /// <exception cref="ArgumentException">The label or the output is too long.</exception>
    public void Export(ReadOnlySpan<byte> label, ReadOnlySpan<byte> context, Span<byte> output)
    {
        // TLS-Exporter = HKDF-Expand-Label(Derive-Secret(Secret, label, ""), "exporter", Hash(context_value), key_length)
        int length = Hash.Length();
        Span<byte> derived = stackalloc byte[TlsHashes.MaxLength];
        Span<byte> digest = stackalloc byte[TlsHashes.MaxLength];
        Hash.HashData([], digest);
        Hkdf.DeriveSecret(Hash, Bytes, label, digest[..length], derived);
        Hash.HashData(context, digest);
        Hkdf.ExpandLabel(Hash, derived[..length], "exporter"u8, digest[..length], output);
        CryptographicOperations.ZeroMemory(derived);
    }
}
