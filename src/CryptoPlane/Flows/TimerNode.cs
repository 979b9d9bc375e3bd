using System.Runtime.InteropServices;

namespace CryptoPlane.Flows;

/// <summary>A timer of a <see cref="TimerWheel"/>: a quarter of a cache line. Zero: not armed.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct TimerNode
{
    /// <summary>The tick at which it expires, its low 32 bits. It may be later than <see cref="Due"/>, never earlier.</summary>
    public uint Deadline;

    /// <summary>The tick whose slot it is in, or will be when it comes down from the coarser wheels.</summary>
    public uint Due;

    /// <summary>The next timer of its list, plus 1; 0 at the end.</summary>
    public int Next;

    /// <summary>The one before, plus 1; of the first one the complement of the list's number; 0: not armed.</summary>
    public int Previous;
}
