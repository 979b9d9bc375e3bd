namespace CryptoPlane.Ike.Wire;

/// <summary>What a CP payload is (RFC 7296 §3.15).</summary>
internal enum ConfigurationType : byte
{
    Request = 1,
    Reply = 2,
    Set = 3,
    Acknowledge = 4,
}
