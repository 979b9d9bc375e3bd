using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Counters;

/// <summary>What an lcore counts of its sessions: it alone writes, other threads read each counter whole.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowCounters
{
    /// <summary>Sessions now.</summary>
    public int Active;

    /// <summary>Sessions that there can be at most, beside denied ones; 0 where none are kept.</summary>
    public int Maximum;

    /// <summary>Sessions now that the policy denies; they are among <see cref="Active"/>.</summary>
    public int Denied;

    /// <summary>Sessions that the policy denied and that ended early, because there were too many of them.</summary>
    public ulong DeniedEvicted;

    /// <summary>Sessions that began.</summary>
    public ulong Begun;

    /// <summary>Sessions that ended by themselves: their time had come, or TCP had ended.</summary>
    public ulong Expired;

    /// <summary>Sessions that ended to make room for others.</summary>
    public ulong Evicted;

    /// <summary>Packets that went on, or did not, without a session because there was no room for one.</summary>
    public ulong Untracked;

    /// <summary>Records given to the exporter.</summary>
    public ulong Records;

    /// <summary>Records that were lost because the exporter had not taken the earlier ones.</summary>
    public ulong RecordsLost;
}
