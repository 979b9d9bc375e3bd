namespace CryptoPlane.Flows.Sessions;

/// <summary>What tells a session from others between the same two addresses, beside its protocol.</summary>
public enum SessionKeyKind : byte
{
    /// <summary>No session.</summary>
    None = 0,

    /// <summary>Two ports: TCP, UDP, UDP-Lite, SCTP, DCCP.</summary>
    Ports = 1,

    /// <summary>The identifier of ICMP requests and their replies: echo, timestamp, information, address mask.</summary>
    Query = 2,

    /// <summary>The type and code of other ICMP messages: one session for each.</summary>
    Message = 3,

    /// <summary>Nothing: a protocol without ports, such as ESP or GRE. (An SPI names one direction only.)</summary>
    Portless = 4,

    /// <summary>Nothing, because the header that should tell is cut off or wrong: such packets are a session of their own.</summary>
    Unreadable = 5,

    /// <summary>Nothing: fragments whose first one was not seen before them.</summary>
    Fragments = 6,
}
