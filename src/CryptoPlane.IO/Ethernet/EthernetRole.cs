namespace CryptoPlane.IO.Ethernet;

/// <summary>What an <see cref="EthernetIpPort"/> gives to its lcore; all else is for the exception port.</summary>
public enum EthernetRole : byte
{
    /// <summary>The side of the tunnels: whole ESP packets to one of our addresses, bare (protocol 50) or in UDP (RFC 3948).</summary>
    Outside = 0,

    /// <summary>The side of plain packets: every IP packet that was sent to our MAC and not to one of our own addresses.</summary>
    Inside = 1,
}
