namespace CryptoPlane.Esp;

/// <summary>What an outbound SA puts before the ESP header: whatever the port does not add itself.</summary>
public enum EspOuterHeader : byte
{
    /// <summary>Nothing: a kernel socket adds it, be it a raw socket of IP protocol 50 or a UDP socket.</summary>
    None = 0,

    /// <summary>An IPv4 or IPv6 header: the port takes whole packets.</summary>
    Ip = 1,

    /// <summary>An IPv4 or IPv6 header and a UDP header (RFC 3948): the port takes whole packets.</summary>
    IpUdp = 2,
}

/// <summary>What an inbound packet begins with, as the port received it.</summary>
public enum EspIngress : byte
{
    /// <summary>The ESP header: an IPv6 raw socket of protocol 50.</summary>
    Esp = 0,

    /// <summary>The payload of a UDP datagram: ESP, or IKE behind its marker, or a keepalive.</summary>
    UdpPayload = 1,

    /// <summary>The outer IP header, then ESP or UDP: an IPv4 raw socket, or a port of whole packets.</summary>
    IpPacket = 2,
}

/// <summary>The don't-fragment bit of an outer IPv4 header (RFC 4301 §8.1).</summary>
public enum EspDfPolicy : byte
{
    /// <summary>As in an inner IPv4 packet; set over an inner IPv6 packet, which routers do not fragment either.</summary>
    Copy = 0,

    /// <summary>Always set.</summary>
    Set = 1,

    /// <summary>Always clear: routers may fragment the outer packet.</summary>
    Clear = 2,
}
