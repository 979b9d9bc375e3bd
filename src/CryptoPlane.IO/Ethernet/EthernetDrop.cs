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

    /// <summary>
    /// An IP header that contradicts itself, or has addresses that are on no link: a group's as the source, loopback, IPv4-mapped.
    /// </summary>
    Malformed,

    /// <summary>From our own Ethernet address or one of our IP addresses: a loop, or a forgery.</summary>
    OwnSource,

    /// <summary>With a VLAN tag (IEEE 802.1Q), and there is no exception port.</summary>
    Tagged,

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

    /// <summary>
    /// To send: the destination is on no prefix of ours, and there is no gateway; or it is none that packets are sent to (a group, ourselves).
    /// </summary>
    NoRoute,

    /// <summary>To send: the neighbour does not answer.</summary>
    Unresolved,

    /// <summary>To send: too many packets wait for the neighbour, or for all of them together.</summary>
    NeighbourQueueFull,

    /// <summary>To send: half of all places for neighbours are taken by such that do not answer, or all by such that are in use.</summary>
    NeighbourTableFull,

    /// <summary>The port took no more.</summary>
    PortFull,
}
