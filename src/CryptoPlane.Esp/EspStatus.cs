namespace CryptoPlane.Esp;

/// <summary>What became of a packet that was offered to <see cref="EspEncapsulator"/> or <see cref="EspDecapsulator"/>.</summary>
public enum EspStatus : byte
{
    /// <summary>An operation was added to the burst. The packet belongs to the burst until it completes, then the results list it.</summary>
    Added = 0,

    /// <summary>The burst has no room: run it and offer the packet again. Nothing was changed or counted.</summary>
    BurstFull = 1,

    /// <summary>The packet is dropped: the counters name the reason, and the caller gives the buffer back to its pool.</summary>
    Dropped = 2,

    /// <summary>
    /// Outbound: the sequence numbers that were reserved for the SA are used up. Raise the limit
    /// (<see cref="OutboundSa.RaiseSequenceLimit"/>) to go on; this packet is dropped and counted.
    /// </summary>
    SequenceLimitReached = 3,

    /// <summary>Outbound: the SA has sent its last sequence number (RFC 4303 §3.3.3) and will never send again; dropped and counted.</summary>
    SequenceExhausted = 4,

    /// <summary>The SA's hard lifetime has passed: replace the SA; dropped and counted.</summary>
    LifetimeExpired = 5,

    /// <summary>Inbound: not ESP but IKE (the four-byte marker of RFC 3948 §2.2) or another protocol. The packet is unchanged, and the caller's.</summary>
    NotEsp = 6,

    /// <summary>Inbound: a NAT-keepalive of one byte 0xFF (RFC 3948 §2.3). The caller gives the buffer back to its pool.</summary>
    Keepalive = 7,

    /// <summary>
    /// Outbound: the packet would be longer than the path takes; counted, and unchanged. The caller fragments an IPv4 packet that may be,
    /// and of any other tells the sender by ICMP what fits: <see cref="OutboundSa.MaxInnerPacket"/> (RFC 4301 §8.2).
    /// </summary>
    TooBig = 8,
}
