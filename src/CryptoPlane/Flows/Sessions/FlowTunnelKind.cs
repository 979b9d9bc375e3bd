namespace CryptoPlane.Flows.Sessions;

/// <summary>What a packet of a session came out of, or went into.</summary>
public enum FlowTunnelKind : byte
{
    /// <summary>Nothing known: the packet was dropped before it went anywhere.</summary>
    None = 0,

    /// <summary>A user's tunnel; the id is its session's.</summary>
    User = 1,

    /// <summary>An ESP tunnel; the id is its number.</summary>
    Esp = 2,

    /// <summary>The TUN interface.</summary>
    Tun = 3,

    /// <summary>An Ethernet port; the id is its number.</summary>
    Port = 4,

    /// <summary>Another lcore, where the packet came in; the id is the lcore.</summary>
    Lcore = 5,
}
