namespace CryptoPlane.Flows.Sessions;

/// <summary>Where a TCP connection is, as somebody on its way can tell.</summary>
public enum TcpState : byte
{
    /// <summary>No TCP, or nothing seen.</summary>
    None = 0,

    /// <summary>A SYN of the initiator.</summary>
    SynSent = 1,

    /// <summary>The responder's SYN and ACK.</summary>
    SynReceived = 2,

    /// <summary>Data may flow.</summary>
    Established = 3,

    /// <summary>The initiator has sent a FIN.</summary>
    InitiatorClosed = 4,

    /// <summary>The responder has sent a FIN.</summary>
    ResponderClosed = 5,

    /// <summary>Both have sent a FIN.</summary>
    Closed = 6,

    /// <summary>A RST ended it.</summary>
    Reset = 7,
}
