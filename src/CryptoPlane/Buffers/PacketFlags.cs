namespace CryptoPlane.Buffers;

/// <summary>What a port's hardware found out about a received packet.</summary>
[Flags]
public enum PacketFlags : uint
{
    /// <summary>Nothing: software checks for itself.</summary>
    None = 0,

    /// <summary>The checksum of the (outer) IPv4 header is right.</summary>
    IpChecksumGood = 1,

    /// <summary>The checksum of the (outer) IPv4 header is wrong.</summary>
    IpChecksumBad = 2,

    /// <summary>The checksum of the UDP or TCP header behind it is right.</summary>
    TransportChecksumGood = 4,

    /// <summary>The checksum of the UDP or TCP header behind it is wrong.</summary>
    TransportChecksumBad = 8,
}
