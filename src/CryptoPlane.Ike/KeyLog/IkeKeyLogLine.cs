using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.KeyLog;

/// <summary>A line of Wireshark's ikev2_decryption_table.</summary>
internal static class IkeKeyLogLine
{
    /// <summary>
    /// SPIi, SPIr, SK_ei, SK_er, name of the cipher, SK_ai, SK_ar, name of the integrity algorithm. With an AEAD, SK_e has the salt at its end
    /// and there is no SK_a.
    /// </summary>
    /// <param name="keys">Of the IKE SA.</param>
    /// <param name="initiatorSpi">SPIi.</param>
    /// <param name="responderSpi">SPIr.</param>
    public static string Create(IkeKeys keys, ulong initiatorSpi, ulong responderSpi)
    {
        string cipher = keys.Suite.Cipher == IkeCipher.Aes128Gcm16 ? "AES-GCM-128 with 16 octet ICV [RFC5282]" : "AES-GCM-256 with 16 octet ICV [RFC5282]";
        return $"{initiatorSpi:x16},{responderSpi:x16},{Convert.ToHexStringLower(keys.SkEi)},{Convert.ToHexStringLower(keys.SkEr)},"
            + $"\"{cipher}\",,,\"NONE [RFC4306]\"";
    }
}
