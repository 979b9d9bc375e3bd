namespace CryptoPlane.Ike.Wire;

/// <summary>One attribute of a CP payload (RFC 7296 §3.15.1). An empty value asks for one.</summary>
internal sealed record ConfigurationAttribute(ConfigurationAttributeType Type, byte[] Value);
