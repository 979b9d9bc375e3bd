using System.Runtime.InteropServices;

namespace CryptoPlane.Flows;

/// <summary>What the table itself keeps of an entry, at its beginning.</summary>
[StructLayout(LayoutKind.Sequential, Size = 8)]
internal struct FlowEntryHeader
{
    /// <summary>Set in <see cref="Home"/> while the entry is used.</summary>
    public const uint Used = 1u << 31;

    /// <summary>The 31 bits of the hash that say which bucket it belongs to, and <see cref="Used"/>.</summary>
    public uint Home;

    /// <summary>When it was last found, on the table's count of calls; kept where idle flows make room.</summary>
    public int Found;
}

/// <summary>An entry: what finds a flow and what is known of it lie side by side.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct FlowEntry<TKey, TState>
    where TKey : unmanaged
    where TState : unmanaged
{
    public FlowEntryHeader Header;
    public TKey Key;
    public TState State;
}
