using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Routing;

/// <summary>
/// ESP tunnels that share a prefix, as an lcore reads them: a table that says for each of 1,024 parts of all flows by which peer it goes.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PeerGroup
{
    /// <summary>Most tunnels that share a prefix; further ones wait until one of them is down.</summary>
    public const int MaximumMembers = 16;

    /// <summary>Parts of all flows: a power of two, so that a part is 0.1 %.</summary>
    public const int Slots = 1024;

    /// <summary>No tunnel's number.</summary>
    public const int None = -1;

    /// <summary>How many tunnels.</summary>
    public int Count;

    private fixed int _tunnels[MaximumMembers];
    private fixed int _others[MaximumMembers];
    private fixed byte _slots[Slots];

    /// <summary>The member that flows with a hash go by.</summary>
    // Sound: masked with the table's size; Set wrote members below Count into every slot.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int MemberOf(uint hash) => _slots[hash & (Slots - 1)];

    /// <summary>The number of a member's tunnel.</summary>
    // Sound: callers name members below Count, as MemberOf and Find give them.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly int Tunnel(int member) => _tunnels[member];

    /// <summary>The member to which a tunnel belongs, be it its peer's pair for all lcores or those of each lcore; or -1.</summary>
    public readonly int Find(int tunnel)
    {
        if (tunnel < 0)
            return -1;
        for (int i = 0; i < Count; i++)
        {
            if (_tunnels[i] == tunnel || _others[i] == tunnel)
                return i;
        }
        return -1;
    }

    /// <summary>Fills the table; on a control thread.</summary>
    /// <param name="tunnels">The numbers of the members' tunnels.</param>
    /// <param name="others">Of each the number of its peer's other tunnel, or <see cref="None"/>.</param>
    /// <param name="slots">The members of all slots.</param>
    public void Set(ReadOnlySpan<int> tunnels, ReadOnlySpan<int> others, ReadOnlySpan<byte> slots)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tunnels.Length, MaximumMembers);
        ArgumentOutOfRangeException.ThrowIfNotEqual(others.Length, tunnels.Length);
        ArgumentOutOfRangeException.ThrowIfNotEqual(slots.Length, Slots);
        Count = tunnels.Length;
        for (int i = 0; i < Count; i++)
            (_tunnels[i], _others[i]) = (tunnels[i], others[i]);
        for (int i = 0; i < Slots; i++)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(slots[i], Count);
            _slots[i] = slots[i];
        }
    }
}
