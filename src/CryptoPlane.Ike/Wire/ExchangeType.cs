namespace CryptoPlane.Ike.Wire;

/// <summary>Which exchange a message belongs to (RFC 7296 §3.1; 43: RFC 9242 §5; 44: RFC 9370 §3.2).</summary>
internal enum ExchangeType : byte
{
    IkeSaInit = 34,
    IkeAuth = 35,
    CreateChildSa = 36,
    Informational = 37,
    IkeIntermediate = 43,
    IkeFollowupKe = 44,
}
