using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ike.Crypto;

namespace CryptoPlane.Ike.KeyLog;

/// <summary>Lines of Wireshark's esp_sa table, as version 4.0 reads it.</summary>
public static class EspKeyLogLine
{
    /// <summary>
    /// The two lines of a pair of child SAs: the inbound one's, the outbound one's. Wireshark finds them by outer addresses and SPI. It does not
    /// know 64-bit sequence numbers, and so cannot check the ICV of SAs that have them.
    /// </summary>
    /// <returns>None for ChaCha20-Poly1305, which Wireshark 4.0 cannot decrypt: it refuses a table that names it.</returns>
    public static IReadOnlyList<string> Create(ChildSaInstalled child)
    {
        ArgumentNullException.ThrowIfNull(child);
        EspCipher cipher = child.Keys.Suite.Cipher;
        if (cipher == EspCipher.ChaCha20Poly1305)
            return [];
        return
        [
            Create(child.Remote.Address, child.Local.Address, child.Id.InboundSpi, cipher, child.InboundEncryption, child.InboundIntegrity),
            Create(child.Local.Address, child.Remote.Address, child.OutboundSpi, cipher, child.OutboundEncryption, child.OutboundIntegrity),
        ];
    }

    private static string Create(
        IPAddress source, IPAddress destination, uint spi, EspCipher cipher, ReadOnlySpan<byte> encryption, ReadOnlySpan<byte> integrity)
    {
        string family = source.AddressFamily == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
        string encryptionName = cipher.IsAead() ? "AES-GCM with 16 octet ICV [RFC4106]" : "AES-CBC [RFC3602]";
        string integrityName = cipher.IsAead() ? "NULL" : "HMAC-SHA-256-128 [RFC4868]";
        string integrityKey = cipher.IsAead() ? "" : "0x" + Convert.ToHexStringLower(integrity);
        return $"\"{family}\",\"{source}\",\"{destination}\",\"0x{spi:x8}\",\"{encryptionName}\",\"0x{Convert.ToHexStringLower(encryption)}\","
            + $"\"{integrityName}\",\"{integrityKey}\"";
    }
}
