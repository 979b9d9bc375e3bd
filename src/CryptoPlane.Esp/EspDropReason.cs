namespace CryptoPlane.Esp;

/// <summary>Why a packet was not sealed or not delivered: the index of a counter in <see cref="EspCounters"/>.</summary>
public enum EspDropReason : byte
{
    /// <summary>Not dropped.</summary>
    None = 0,

    /// <summary>Outbound: the inner packet is no IPv4 or IPv6 packet, or shorter than its header says.</summary>
    InnerNotIp = 1,

    /// <summary>Outbound: the buffer lacks the headroom or tailroom that <see cref="EspOverhead"/> states.</summary>
    NoRoom = 2,

    /// <summary>Outbound: the ESP packet would be longer than the 65,535 bytes of an IP packet.</summary>
    TooLong = 3,

    /// <summary>Outbound: the reserved sequence numbers are used up.</summary>
    SequenceLimitReached = 4,

    /// <summary>Outbound: the SA has no sequence number left.</summary>
    SequenceExhausted = 5,

    /// <summary>Both ways: the SA's hard lifetime in packets or bytes has passed.</summary>
    LifetimeExpired = 6,

    /// <summary>Both ways: the AEAD engine could not carry out the operation (a device failed, a key was refused).</summary>
    EngineFailed = 7,

    /// <summary>Inbound: shorter than the shortest ESP packet, or its ciphertext is not a multiple of 4 bytes.</summary>
    Truncated = 8,

    /// <summary>Inbound: the outer IP or UDP header contradicts the packet's length.</summary>
    OuterMalformed = 9,

    /// <summary>Inbound: a fragment of an outer packet, which must be reassembled first.</summary>
    OuterFragment = 10,

    /// <summary>Inbound: no SA has this SPI (RFC 4303 §3.4.2).</summary>
    UnknownSpi = 11,

    /// <summary>Inbound: the sequence number lies left of the anti-replay window, or is 0.</summary>
    Late = 12,

    /// <summary>Inbound: the sequence number was received before.</summary>
    Replayed = 13,

    /// <summary>Inbound: the ICV is wrong.</summary>
    AuthenticationFailed = 14,

    /// <summary>Inbound, authenticated: the pad length exceeds the packet, or the padding is not 1, 2, 3, … (RFC 4303 §2.4).</summary>
    BadPadding = 15,

    /// <summary>Inbound, authenticated: the next header is neither IPv4 nor IPv6 nor a dummy.</summary>
    UnsupportedNextHeader = 16,

    /// <summary>Inbound, authenticated: the inner packet's version or lengths are wrong.</summary>
    InnerMalformed = 17,

    /// <summary>Inbound, authenticated: a dummy packet (next header 59), which is discarded as RFC 4303 §2.6 wants: no error.</summary>
    Dummy = 18,

    /// <summary>Inbound, authenticated: congestion was marked outside, but the inner packet cannot carry the mark (RFC 6040 §4.2).</summary>
    CongestionMarked = 19,

    /// <summary>Inbound, authenticated: the inner packet is none that this SA may carry, by its selectors (RFC 4301 §5.2).</summary>
    SelectorMismatch = 20,

    /// <summary>Outbound: the packet would be longer than the path takes (<see cref="OutboundSa.MaxInnerPacket"/>).</summary>
    PathMtuExceeded = 21,

    /// <summary>
    /// Transport mode. Outbound: a fragment, or a header that cannot stay before ESP (RFC 4303 §3.1.1, §3.3.4). Inbound: the port did not
    /// give the packet's IP header.
    /// </summary>
    NotTransport = 22,
}
