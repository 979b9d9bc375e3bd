using System.Runtime.InteropServices;

namespace CryptoPlane.Flows.Sessions;

/// <summary>What an lcore could not tell the exporter, since it began. Times are nanoseconds since 1970 (UTC), 0 for never.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowLosses
{
    /// <summary>Records for which the ring had no room.</summary>
    public long Records;

    /// <summary>Packets that they told of, both ways.</summary>
    public long Packets;

    /// <summary>Bytes that they told of, both ways.</summary>
    public long Octets;

    /// <summary>When the first of them was lost.</summary>
    public long First;

    /// <summary>When the last of them was lost.</summary>
    public long Last;

    /// <summary>Packets that no session counted, since there was no room for one: they are in no record.</summary>
    public long IgnoredPackets;

    /// <summary>Their bytes, with IP headers.</summary>
    public long IgnoredOctets;

    /// <summary>When the first of them came.</summary>
    public long FirstIgnored;

    /// <summary>When the last of them came.</summary>
    public long LastIgnored;
}
