namespace VpnBroker.DataPlane.Counters;

/// <summary>Why a packet went no further: the index of a counter in <see cref="TrafficCounters"/>. ESP's own reasons are counted there.</summary>
internal enum DropReason : byte
{
    /// <summary>Not dropped.</summary>
    None = 0,

    /// <summary>A TLS record that does not open, or is none: its tunnel ends.</summary>
    RecordRejected,

    /// <summary>A CSTP frame with a wrong header or length: its tunnel ends.</summary>
    FrameMalformed,

    /// <summary>A CSTP frame of an unknown type or compressed, which was never offered.</summary>
    FrameUnsupported,

    /// <summary>An inner packet that is larger than the buffers and so larger than every MTU here.</summary>
    Oversize,

    /// <summary>An inner packet whose version or lengths are wrong.</summary>
    InnerMalformed,

    /// <summary>An inner IPv4 header with a wrong checksum.</summary>
    InnerChecksum,

    /// <summary>The source address is not one that may come from there.</summary>
    SourceAddress,

    /// <summary>A destination that is never forwarded: multicast, link-local, loopback, unspecified.</summary>
    DestinationAddress,

    /// <summary>TTL or hop limit used up.</summary>
    HopLimit,

    /// <summary>No route for the destination.</summary>
    NoRoute,

    /// <summary>The destination is in an address pool, and no tunnel has it.</summary>
    NoTunnel,

    /// <summary>Larger than the MTU behind; the sender is told.</summary>
    TooBig,

    /// <summary>The connection's unsent bytes have reached their bound: dropped before sealing.</summary>
    SlowReader,

    /// <summary>The lcore's memory for unsent bytes is used up: dropped before sealing.</summary>
    BacklogExhausted,

    /// <summary>No free packet buffer.</summary>
    BuffersExhausted,

    /// <summary>The ring to the packet's home lcore is full.</summary>
    HandOverFull,

    /// <summary>The TUN queue took no more.</summary>
    TunFull,

    /// <summary>The ESP socket took no more.</summary>
    EspFull,

    /// <summary>No TUN port here, or no lcore with a pair of SAs for the ESP tunnel.</summary>
    NoPort,

    /// <summary>ESP would not seal the packet; ESP's own counters say why.</summary>
    EspRefused,

    /// <summary>The source address is none that the IPsec peer has agreed to take.</summary>
    Selectors,

    /// <summary>The tunnel was ending.</summary>
    TunnelEnding,

    /// <summary>The TLS state could not seal: its keys are used up.</summary>
    SealRefused,

    /// <summary>An ICMP error or a TCP reset that the rate limit held back.</summary>
    IcmpRateLimited,

    /// <summary>A fragment as attacks have: a first one without its whole header, or one over a TCP header's flags (RFC 1858, RFC 3128, RFC 7112).</summary>
    UnsafeFragment,

    /// <summary>The policy needs an entry in the table of sessions, and that is full.</summary>
    FlowTableFull,

    /// <summary>The policy denies the packet's session.</summary>
    PolicyDenied,

    /// <summary>The packet would begin one session more than its user may have, or one sooner than its user may begin another.</summary>
    UserFlowLimit,

    /// <summary>Behind the rate of a police: a user's, a tunnel's or a class's.</summary>
    Policed,

    /// <summary>Its queue stood for too long (CoDel).</summary>
    QueueDelay,

    /// <summary>Its queue was full.</summary>
    QueueFull,

    /// <summary>All queues together were full, and its was the longest.</summary>
    QueuesFull,

    /// <summary>A datagram for DTLS from an address that has no data channel.</summary>
    DtlsUnknownPeer,

    /// <summary>A datagram that is no record of DTLS 1.2.</summary>
    DtlsMalformed,

    /// <summary>A record of DTLS under other keys than those of now.</summary>
    DtlsWrongEpoch,

    /// <summary>A record of DTLS that is older than the anti-replay window.</summary>
    DtlsLate,

    /// <summary>A record of DTLS that was received before.</summary>
    DtlsReplayed,

    /// <summary>A record of DTLS that does not open: forged or damaged.</summary>
    DtlsForged,

    /// <summary>A record of DTLS of a kind that may not come, or behind the end of its channel.</summary>
    DtlsUnexpected,

    /// <summary>The UDP socket took no more.</summary>
    DtlsFull,

    /// <summary>Not a packet but how many reasons there are.</summary>
    Count,
}

/// <summary>The names of <see cref="DropReason"/> in status reports.</summary>
internal static class DropReasonNames
{
    private static readonly string[] Names = [.. Enum.GetNames<DropReason>().Select(ToHyphens)];

    /// <summary>The reason in lower-case words with hyphens.</summary>
    public static string Of(DropReason reason) => Names[(int)reason];

    /// <summary><c>SlowReader</c> becomes <c>slow-reader</c>.</summary>
    public static string ToHyphens(string name) =>
        string.Concat(name.Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "-") + char.ToLowerInvariant(c) : c.ToString()));
}
