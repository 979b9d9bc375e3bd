namespace CryptoPlane.Esp.Wire;

/// <summary>IP protocol numbers that ESP meets, as IPv4's protocol and as IPv6's or ESP's next header.</summary>
internal static class IpProtocol
{
    public const byte HopByHopOptions = 0;
    public const byte Icmp = 1;
    public const byte IPv4 = 4;
    public const byte Tcp = 6;
    public const byte Udp = 17;
    public const byte Dccp = 33;
    public const byte IPv6 = 41;
    public const byte IPv6Routing = 43;
    public const byte IPv6Fragment = 44;
    public const byte Esp = 50;
    public const byte IcmpV6 = 58;

    /// <summary>A dummy packet (RFC 4303 §2.6).</summary>
    public const byte NoNextHeader = 59;

    public const byte DestinationOptions = 60;
    public const byte Sctp = 132;
    public const byte MobilityHeader = 135;
    public const byte UdpLite = 136;

    /// <summary>Whether RFC 4301 §4.4.1.1 looks for the protocol of an IPv6 packet behind this header.</summary>
    public static bool IsSkippedExtension(byte header) => header is HopByHopOptions or IPv6Routing or IPv6Fragment or DestinationOptions;
}
