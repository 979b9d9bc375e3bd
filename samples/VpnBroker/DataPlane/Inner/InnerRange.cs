using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VpnBroker.DataPlane.Inner;

/// <summary>All addresses from one to another, both included: a traffic selector as lcores compare it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct InnerRange(InnerAddress First, InnerAddress Last)
{
    /// <summary>Whether an address is in the range.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(in InnerAddress address) =>
        address.Family == First.Family && Compare(First, address) <= 0 && Compare(address, Last) <= 0;

    /// <summary>Whether an address is in one of several ranges.</summary>
    // Sound: the owner of the ranges says how many there are.
    public static unsafe bool AnyContains(InnerRange* ranges, int count, in InnerAddress address)
    {
        for (int i = 0; i < count; i++)
        {
            if (ranges[i].Contains(address))
                return true;
        }
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Compare(in InnerAddress left, in InnerAddress right) =>
        left.High != right.High ? (left.High < right.High ? -1 : 1) : left.Low.CompareTo(right.Low);
}
