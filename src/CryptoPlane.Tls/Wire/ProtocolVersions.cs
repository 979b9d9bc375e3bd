namespace CryptoPlane.Tls.Wire;

/// <summary>Version numbers on the wire.</summary>
internal static class ProtocolVersions
{
    public const ushort Ssl30 = 0x0300;

    /// <summary>RFC 8446 §4.1.2, §4.1.3, §5.1: what every legacy version field says.</summary>
    public const ushort Legacy = 0x0303;

    public const ushort Tls13 = 0x0304;
}
