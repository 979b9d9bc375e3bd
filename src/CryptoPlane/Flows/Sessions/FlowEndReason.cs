namespace CryptoPlane.Flows.Sessions;

/// <summary>Why a record was made: the values of IPFIX's <c>flowEndReason</c> (RFC 5102 §5.11.3).</summary>
public enum FlowEndReason : byte
{
    /// <summary>Not ended.</summary>
    None = 0,

    /// <summary>No packet for the idle time.</summary>
    IdleTimeout = 1,

    /// <summary>It goes on: the record says what passed since the last one.</summary>
    ActiveTimeout = 2,

    /// <summary>The session's own end was seen, such as both FINs or a RST.</summary>
    EndOfFlow = 3,

    /// <summary>Something else ended it: its tunnel ended, or the program.</summary>
    Forced = 4,

    /// <summary>Its entry was needed for another session.</summary>
    LackOfResources = 5,
}
