using CryptoPlane.Aead;

namespace CryptoPlane.Tls.KeySchedule;

/// <summary>
/// Record keys out of traffic secrets (RFC 8446 §7.3) and the secret behind a KeyUpdate (§7.2), on spans: record state on an lcore
/// keeps its secret in native memory, and nothing here allocates managed memory.
/// </summary>
internal static class TrafficKeys
{
    /// <summary>Derives the record key and IV of a traffic secret.</summary>
    /// <param name="parameters">The cipher suite.</param>
    /// <param name="secret">A digest's length of bytes.</param>
    /// <param name="key">Takes <see cref="CipherSuiteParameters.KeyLength"/> bytes.</param>
    /// <param name="iv">Takes 12 bytes.</param>
    public static void Derive(in CipherSuiteParameters parameters, ReadOnlySpan<byte> secret, Span<byte> key, Span<byte> iv)
    {
        Hkdf.ExpandLabel(parameters.Hash, secret, "key"u8, [], key[..parameters.KeyLength]);
        Hkdf.ExpandLabel(parameters.Hash, secret, "iv"u8, [], iv[..AeadSizes.Nonce]);
    }

    /// <summary>Replaces application_traffic_secret_N by application_traffic_secret_N+1.</summary>
    public static void Advance(TlsHash hash, Span<byte> secret) => Hkdf.ExpandLabel(hash, secret, "traffic upd"u8, [], secret);
}
