namespace CryptoPlane.Esp;

/// <summary>
/// AES-CBC with HMAC-SHA2-256-128 (RFC 3602, RFC 4868), for gateways that have no AEAD: by libcrypto, packet by packet, outside the AEAD
/// bursts.
/// </summary>
public enum EspCbcAlgorithm : byte
{
    /// <summary>With a 128-bit encryption key.</summary>
    Aes128HmacSha256 = 1,

    /// <summary>With a 256-bit encryption key.</summary>
    Aes256HmacSha256 = 2,
}

/// <summary>What an SA carries (RFC 4301 §4.1).</summary>
public enum SaMode : byte
{
    /// <summary>Whole IP packets, behind an outer IP header.</summary>
    Tunnel = 0,

    /// <summary>The payloads of IP packets between the two ends themselves, which keep their IP header.</summary>
    Transport = 1,
}

/// <summary>What sets an SA apart from the usual one, an AEAD in tunnel mode: packets look at one byte to see whether anything does.</summary>
[Flags]
internal enum SaForm : byte
{
    AeadTunnel = 0,
    Cbc = 1,
    Transport = 2,
}
