using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Counters;

/// <summary>What an lcore counts of its users' data channels over DTLS: it alone writes, other threads read each counter whole.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct DtlsCounters
{
    /// <summary>Tunnels whose data goes by DTLS now.</summary>
    public int Channels;

    /// <summary>Channels that got their keys.</summary>
    public ulong Begun;

    /// <summary>Times that a tunnel's data went back to TLS because the client was not heard any more.</summary>
    public ulong Fallbacks;

    /// <summary>Times that a client's datagrams came from another address or port.</summary>
    public ulong Moved;
}
