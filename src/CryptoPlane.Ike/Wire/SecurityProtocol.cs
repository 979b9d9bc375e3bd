namespace CryptoPlane.Ike.Wire;

/// <summary>Which protocol a proposal, an SPI or a deletion is about (RFC 7296 §3.3.1).</summary>
internal enum SecurityProtocol : byte
{
    None = 0,
    Ike = 1,
    Ah = 2,
    Esp = 3,
}
