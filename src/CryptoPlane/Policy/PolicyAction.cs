namespace CryptoPlane.Policy;

/// <summary>What a rule does with the flows that it decides.</summary>
public enum PolicyAction : byte
{
    /// <summary>They pass, and so do the replies to them.</summary>
    Allow = 0,

    /// <summary>Their packets are dropped.</summary>
    Deny = 1,

    /// <summary>Their packets are dropped and the initiator is told, by an ICMP error.</summary>
    Reject = 2,
}
