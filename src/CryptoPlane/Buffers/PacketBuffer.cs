using System.Runtime.InteropServices;

namespace CryptoPlane.Buffers;

/// <summary>
/// The header of one packet buffer in native memory. It lies in one block with a foreign header before it and the packet's
/// bytes behind it, and is handled by pointer.
/// </summary>
/// <remarks>
/// <code>
/// | foreign header | PacketBuffer | headroom | data ... | tailroom |
/// | 128 bytes      | 64 bytes     |          | Length   |          |
/// ^ 64-aligned     ^ this         ^ Start    ^ Data
/// </code>
/// <para>The foreign header is 128 bytes, two cache lines, for another framework's descriptor of the same packet (an rte_mbuf is
/// 128 bytes; this header is then its private area), so that a packet goes to a device without a copy.</para>
/// <para>A buffer belongs to one <see cref="PacketPool"/> and so to one lcore.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = HeaderSize)]
public unsafe struct PacketBuffer
{
    /// <summary>Bytes reserved before this header.</summary>
    public const int ForeignHeaderSize = 128;

    /// <summary>Size of this header.</summary>
    public const int HeaderSize = 64;

    /// <summary>Bytes that belong to whoever holds the buffer, at <see cref="Scratch"/>.</summary>
    public const int ScratchSize = 40;

    [FieldOffset(0)] private byte* _start;
    [FieldOffset(8)] private uint _capacity;
    [FieldOffset(12)] private uint _offset;
    [FieldOffset(16)] private uint _length;

    /// <summary>What the receiving port's hardware found out.</summary>
    [FieldOffset(20)] public PacketFlags Flags;

    /// <summary>The holder's own 40 bytes (a remote address, a tunnel index): not cleared between holders.</summary>
    [FieldOffset(24)] public fixed byte Scratch[ScratchSize];

    /// <summary>First byte of the packet.</summary>
    public readonly byte* Data => _start + _offset;

    /// <summary>Bytes of the packet.</summary>
    public readonly int Length => (int)_length;

    /// <summary>Free bytes before the packet.</summary>
    public readonly int Headroom => (int)_offset;

    /// <summary>Free bytes behind the packet.</summary>
    public readonly int Tailroom => (int)(_capacity - _offset - _length);

    /// <summary>Bytes between the first of the headroom and the end of the tailroom.</summary>
    public readonly int Capacity => (int)_capacity;

    /// <summary>The packet as a span, valid while the caller holds the buffer.</summary>
    public readonly Span<byte> Span => new(Data, Length);

    /// <summary>Called once by the pool that carves the block.</summary>
    internal void Initialize(byte* start, uint capacity)
    {
        _start = start;
        _capacity = capacity;
        _offset = 0;
        _length = 0;
    }

    /// <summary>Empties the buffer, sets the room before the packet and clears the flags.</summary>
    /// <returns>False, with nothing changed, if the block is smaller than <paramref name="headroom"/>.</returns>
    public bool TryReset(int headroom)
    {
        if ((uint)headroom > _capacity)
            return false;
        _offset = (uint)headroom;
        _length = 0;
        Flags = PacketFlags.None;
        return true;
    }

    /// <summary>Sets the packet's length, its first byte staying where it is.</summary>
    /// <returns>False, with nothing changed, if it does not fit.</returns>
    public bool TrySetLength(int length)
    {
        if ((uint)length > _capacity - _offset)
            return false;
        _length = (uint)length;
        return true;
    }

    /// <summary>Lengthens the packet at its front, by bytes of the headroom.</summary>
    /// <returns>False, with nothing changed, if the headroom is shorter.</returns>
    public bool TryPrepend(int bytes)
    {
        if ((uint)bytes > _offset)
            return false;
        _offset -= (uint)bytes;
        _length += (uint)bytes;
        return true;
    }

    /// <summary>Takes bytes off the packet's front.</summary>
    /// <returns>False, with nothing changed, if the packet is shorter.</returns>
    public bool TryTrimFront(int bytes)
    {
        if ((uint)bytes > _length)
            return false;
        _offset += (uint)bytes;
        _length -= (uint)bytes;
        return true;
    }
}
