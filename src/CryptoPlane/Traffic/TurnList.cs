using System.Runtime.CompilerServices;

namespace CryptoPlane.Traffic;

/// <summary>Tunnels that take turns, linked through <see cref="TunnelNode.Next"/>.</summary>
internal unsafe struct TurnList(TunnelPlace place)
{
    private int _tail = -1;

    /// <summary>The tunnel whose turn it is, or -1.</summary>
    public int Head { get; private set; } = -1;

    /// <summary>Puts a tunnel, which is in no list, behind the others.</summary>
    // Sound, both: callers give numbers of nodes; links were made here.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Push(TunnelNode* nodes, int tunnel)
    {
        nodes[tunnel].Place = place;
        nodes[tunnel].Next = -1;
        if (_tail < 0)
            Head = tunnel;
        else
            nodes[_tail].Next = tunnel;
        _tail = tunnel;
    }

    /// <summary>Takes the first out; there must be one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Pop(TunnelNode* nodes)
    {
        TunnelNode* node = nodes + Head;
        node->Place = TunnelPlace.None;
        Head = node->Next;
        if (Head < 0)
            _tail = -1;
    }
}
