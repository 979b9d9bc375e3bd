namespace CryptoPlane.Ike;

/// <summary>What ESP encloses.</summary>
public enum IkeChildMode
{
    /// <summary>A whole packet (RFC 4301 §3.2).</summary>
    Tunnel,

    /// <summary>What is behind the IP header: between the two endpoints alone (RFC 7296 §1.3.1, USE_TRANSPORT_MODE).</summary>
    Transport,
}
