namespace CryptoPlane.Capture;

/// <summary>What the bytes of a captured packet begin with.</summary>
public enum CaptureFraming : byte
{
    /// <summary>An IPv4 or IPv6 header.</summary>
    Ip,

    /// <summary>An Ethernet header.</summary>
    Ethernet,

    /// <summary>The payload of a UDP datagram: the kernel keeps the headers before it.</summary>
    UdpPayload,

    /// <summary>An ESP header: the kernel keeps the IP header before it.</summary>
    Esp,

    /// <summary>A piece of a TCP connection's stream: the kernel keeps the headers before it.</summary>
    TcpPayload,
}

/// <summary>Which way a packet went; the values are those of pcapng's epb_flags.</summary>
public enum CaptureDirection : byte
{
    /// <summary>Neither: a packet that went no further.</summary>
    None = 0,

    /// <summary>Received, or opened.</summary>
    In = 1,

    /// <summary>To be sent, or to be sealed.</summary>
    Out = 2,
}
