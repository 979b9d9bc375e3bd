namespace CryptoPlane.Esp.Wire;

/// <summary>IP protocol numbers that ESP meets, as IPv4's protocol and as IPv6's or ESP's next header.</summary>
internal static class IpProtocol
{
    public const byte IPv4 = 4;
    public const byte Udp = 17;
    public const byte IPv6 = 41;
    public const byte Esp = 50;

    /// <summary>A dummy packet (RFC 4303 §2.6).</summary>
    public const byte NoNextHeader = 59;
}
