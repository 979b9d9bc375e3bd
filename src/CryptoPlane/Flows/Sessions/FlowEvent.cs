namespace CryptoPlane.Flows.Sessions;

/// <summary>What has just happened to a session, of records that say no more than that: the values of IPFIX's <c>firewallEvent</c> (IANA, element 233).</summary>
public enum FlowEvent : byte
{
    /// <summary>Nothing of these: the record tells what has passed, and <see cref="FlowRecord.EndReason"/> why it was made.</summary>
    None = 0,

    /// <summary>It has begun.</summary>
    Created = 1,

    /// <summary>It has begun, and is denied.</summary>
    Denied = 3,
}
