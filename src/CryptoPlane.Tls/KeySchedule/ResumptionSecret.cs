using System.Security.Cryptography;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>resumption_master_secret: the pre-shared keys of a connection's tickets come from it (RFC 8446 §4.6.1).</summary>
internal sealed class ResumptionSecret : ScheduleSecret
{
    /// <summary>Made by <see cref="MasterSecret.DeriveResumption"/> only.</summary>
    internal ResumptionSecret(TlsHash hash, ReadOnlySpan<byte> masterSecret, ReadOnlySpan<byte> transcriptHash) : base(hash) =>
        Hkdf.DeriveSecret(hash, masterSecret, "res master"u8, transcriptHash, Bytes);

    /// <summary>The pre-shared key of a ticket.</summary>
    /// <param name="nonce">The ticket's.</param>
    /// <param name="preSharedKey">Takes a digest's length of bytes.</param>
    public void DeriveTicketKey(ReadOnlySpan<byte> nonce, Span<byte> preSharedKey) =>
        Hkdf.ExpandLabel(Hash, Bytes, "resumption"u8, nonce, preSharedKey[..Hash.Length()]);
}
