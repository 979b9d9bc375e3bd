namespace CryptoPlane.Capture;

/// <summary>Link-layer types of pcapng (draft-ietf-opsawg-pcaplinktype).</summary>
public enum PcapngLinkType : ushort
{
    /// <summary>Ethernet frames.</summary>
    Ethernet = 1,

    /// <summary>IPv4 or IPv6 packets.</summary>
    Raw = 101,
}

/// <summary>An interface of a capture: where packets were seen.</summary>
/// <param name="Name">Its name (if_name).</param>
/// <param name="LinkType">What its packets begin with.</param>
/// <param name="SnapLength">Bytes that are kept of a packet.</param>
/// <param name="Description">More about it (if_description), or null.</param>
/// <param name="Filter">The filter as it was typed (if_filter), or null.</param>
public sealed record PcapngInterface(string Name, PcapngLinkType LinkType, int SnapLength, string? Description = null, string? Filter = null);

/// <summary>What an interface has counted (Interface Statistics Block).</summary>
/// <param name="Received">Packets that passed (isb_ifrecv).</param>
/// <param name="Accepted">Those that the filter took (isb_filteraccept).</param>
/// <param name="Missed">Taken packets for which there was no room (isb_ifdrop).</param>
/// <param name="Delivered">Packets in the capture (isb_usrdeliv).</param>
public readonly record struct PcapngStatistics(ulong Received, ulong Accepted, ulong Missed, ulong Delivered);
