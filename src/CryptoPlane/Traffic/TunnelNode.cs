using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>Which list a tunnel is in.</summary>
internal enum TunnelPlace : byte
{
    /// <summary>None: it has nothing to send, or is held.</summary>
    None = 0,

    /// <summary>Tunnels that have just got something to send after they had nothing.</summary>
    New,

    /// <summary>Tunnels that take their turns.</summary>
    Old,

    /// <summary>Tunnels that wait for a shaper.</summary>
    Waiting,
}

/// <summary>One tunnel of a scheduler. Its classes' queues lie in an array beside.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TunnelNode
{
    /// <summary>The next tunnel of the list of turns, or -1.</summary>
    public int Next;

    /// <summary>Bytes that the tunnel may still send in its turn; below 0, what it has sent too much.</summary>
    public int Deficit;

    /// <summary>Bytes per turn; 0 until the tunnel is used.</summary>
    public int Quantum;

    /// <summary>Which of its queues have packets: a bit per class.</summary>
    public ushort Active;

    public TunnelPlace Place;

    /// <summary>Whether nothing is sent for now, whatever there is.</summary>
    public bool IsHeld;

    /// <summary>Whether it waits since none of its classes with packets may send, though the tunnel may.</summary>
    public bool WaitsForClass;

    /// <summary>The list of tunnels with about as many bytes, plus 1; 0 for none.</summary>
    public byte SizeList;

    /// <summary>Neighbours in that list, or -1.</summary>
    public int SizeBefore;
    public int SizeNext;

    /// <summary>Where it is among those that wait.</summary>
    public int HeapIndex;

    public QueueCounters Counters;

    public TokenBucket Shaper;
}
