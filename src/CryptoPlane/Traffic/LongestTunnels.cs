using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace CryptoPlane.Traffic;

/// <summary>
/// Finds a tunnel with the most waiting bytes in constant time: tunnels lie in lists by size, four to an octave, so that the one that is
/// found has at least four fifths of what the longest has.
/// </summary>
internal sealed unsafe class LongestTunnels : IDisposable
{
    private const int Lists = 128;

    private readonly TunnelNode* _nodes;
    private int* _heads;
    private ulong _low;
    private ulong _high;

    /// <summary>Makes empty lists.</summary>
    /// <param name="nodes">The tunnels, which outlive it.</param>
    public LongestTunnels(TunnelNode* nodes)
    {
        _nodes = nodes;
        _heads = (int*)NativeMemory.Alloc(Lists, sizeof(int));
        new Span<int>(_heads, Lists).Fill(-1);
    }

    /// <summary>A tunnel of the list of the longest, or -1 when nothing waits.</summary>
    public int First =>
        _high != 0 ? _heads[127 - BitOperations.LeadingZeroCount(_high)]
        : _low != 0 ? _heads[63 - BitOperations.LeadingZeroCount(_low)]
        : -1;

    /// <summary>Puts a tunnel where it belongs after its bytes have changed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Note(int tunnel, long bytes)
    {
        int list = bytes <= 0 ? 0 : ListOf((ulong)bytes) + 1;
        if (list != _nodes[tunnel].SizeList)
            Move(tunnel, list);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_heads);
        _heads = null;
    }

    /// <summary>The octave and the two bits below the highest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ListOf(ulong bytes)
    {
        int octave = 63 - BitOperations.LeadingZeroCount(bytes | 4);
        return Math.Min(Lists - 1, ((octave - 2) * 4) + (int)((bytes >> (octave - 2)) & 3));
    }

    // Sound: lists are below 128, and links were made here, of tunnels that are in exactly the list that SizeList names.
    private void Move(int tunnel, int list)
    {
        TunnelNode* node = _nodes + tunnel;
        if (node->SizeList != 0)
        {
            int old = node->SizeList - 1;
            if (node->SizeBefore >= 0)
                _nodes[node->SizeBefore].SizeNext = node->SizeNext;
            else
                _heads[old] = node->SizeNext;
            if (node->SizeNext >= 0)
                _nodes[node->SizeNext].SizeBefore = node->SizeBefore;
            if (_heads[old] < 0)
                Mark(old, false);
        }
        node->SizeList = (byte)list;
        if (list == 0)
            return;
        int head = _heads[list - 1];
        node->SizeBefore = -1;
        node->SizeNext = head;
        if (head >= 0)
            _nodes[head].SizeBefore = tunnel;
        _heads[list - 1] = tunnel;
        Mark(list - 1, true);
    }

    private void Mark(int list, bool used)
    {
        ref ulong word = ref list < 64 ? ref _low : ref _high;
        ulong bit = 1UL << (list & 63);
        word = used ? word | bit : word & ~bit;
    }
}
