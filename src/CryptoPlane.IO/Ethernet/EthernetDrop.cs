namespace CryptoPlane.IO.Ethernet;

/// <summary>Why an <see cref="EthernetIpPort"/> dropped a frame or a packet.</summary>
public enum EthernetDrop : byte
{
    /// <summary>It was not dropped.</summary>
    None = 0,

    /// <summary>Shorter than its headers say, or than a header.</summary>
    Truncated,

    /// <summary>Addressed to another station.</summary>
    OtherStation,

    /// <summary>The checksum of the IPv4 header is wrong.</summary>
    Checksum,

    /// <summary>An IP header that contradicts itself.</summary>
    Malformed,

    /// <summary>From one of our own addresses: a loop, or a forgery.</summary>
    OwnSource,

    /// <summary>Nothing here is interested, and there is no exception port.</summary>
    NotForUs,

    /// <summary>The exception port took no more.</summary>
    ExceptionFull,

    /// <summary>To send: the packet is no IP packet.</summary>
    NoIpPacket,

    /// <summary>To send: there is no room for the Ethernet header before the packet.</summary>
    NoHeadroom,

    /// <summary>To send: longer than the MTU.</summary>
    TooLong,

    /// <summary>To send: the destination is on no prefix of ours, and there is no gateway.</summary>
    NoRoute,

    /// <summary>To send: the neighbour does not answer.</summary>
    Unresolved,

    /// <summary>To send: too many packets wait for the neighbour.</summary>
    NeighbourQueueFull,

    /// <summary>To send: all places for neighbours are taken by such that were asked just now.</summary>
    NeighbourTableFull,

    /// <summary>The port took no more.</summary>
    PortFull,
}
