using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>What was seen of a packet.</summary>
[Flags]
public enum SessionPacketFlags : byte
{
    /// <summary>Nothing of these.</summary>
    None = 0,

    /// <summary>The upper end of the session's key sent it.</summary>
    FromUpper = 1,

    /// <summary>The first of several fragments: it has the ports.</summary>
    FirstFragment = 2,

    /// <summary>A fragment behind the first: it has no ports.</summary>
    LaterFragment = 4,

    /// <summary>An ICMP error, about a packet that it quotes.</summary>
    IcmpError = 8,

    /// <summary>
    /// A fragment as attacks have and hosts do not make: a first one without the whole header (RFC 1858 §3, RFC 7112), one that would
    /// lie over a TCP header's flags (RFC 1858 §4, RFC 3128), or one that ends behind the largest packet.
    /// </summary>
    UnsafeFragment = 16,

    /// <summary>A TCP header of 20 bytes or more is at <see cref="SessionPacket.UpperOffset"/>.</summary>
    Tcp = 32,
}

/// <summary>What sessions want to know of a packet beside its <see cref="SessionKey"/>.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct SessionPacket
{
    /// <summary>Where the upper header begins, in bytes from the packet's beginning.</summary>
    public ushort UpperOffset;

    /// <summary>Bytes from there to the packet's end.</summary>
    public ushort UpperLength;

    /// <summary>Of fragments, which packet they are of: 16 bits of IPv4, 32 of IPv6.</summary>
    public uint FragmentId;

    /// <summary>What was seen.</summary>
    public SessionPacketFlags Flags;

    /// <summary>The differentiated services code point, 0 to 63.</summary>
    public byte Dscp;

    /// <summary>Of TCP the flags as in the header: FIN is 1; else 0.</summary>
    public byte TcpFlags;

    /// <summary>Of ICMP the type; else 0.</summary>
    public byte IcmpType;

    /// <summary>Of ICMP the code; else 0.</summary>
    public byte IcmpCode;

    /// <summary>Whether the upper end of the session's key sent it.</summary>
    public readonly bool IsFromUpper => (Flags & SessionPacketFlags.FromUpper) != 0;
}
