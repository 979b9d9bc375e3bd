using CryptoPlane.Aead;

namespace CryptoPlane.Tls.Record;

/// <summary>Sizes of records, in bytes (RFC 8446 §5.1, §5.2).</summary>
public static class TlsRecordSizes
{
    /// <summary>The header: type, legacy version, length.</summary>
    public const int Header = 5;

    /// <summary>Most content of one record.</summary>
    public const int MaxContent = 1 << 14;

    /// <summary>Behind the content: its type.</summary>
    public const int InnerType = 1;

    /// <summary>What protection adds to a content: header, inner type, tag. Padding is never sent.</summary>
    public const int Overhead = Header + InnerType + AeadSizes.Tag;

    /// <summary>Longest TLSInnerPlaintext: content, type and padding. So much room an opened record may take.</summary>
    public const int MaxInnerPlaintext = MaxContent + InnerType;

    /// <summary>Longest payload of a protected record on the wire.</summary>
    public const int MaxCiphertext = MaxContent + 256;

    /// <summary>Longest record on the wire, with its header.</summary>
    public const int MaxRecord = Header + MaxCiphertext;
}
