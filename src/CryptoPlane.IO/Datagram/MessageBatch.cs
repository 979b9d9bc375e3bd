using System.Runtime.InteropServices;
using CryptoPlane.IO.Interop;

namespace CryptoPlane.IO.Datagram;

/// <summary>
/// The arrays that recvmmsg and sendmmsg work on, in native memory: per message a header, an address, a control message of one integer,
/// and I/O vectors that the port hands out.
/// </summary>
internal sealed unsafe class MessageBatch : IDisposable
{
    /// <summary>Bytes for one control message that holds an integer (UDP_SEGMENT, UDP_GRO), aligned.</summary>
    public const int ControlSize = 24;

    private byte* _block;

    /// <param name="messages">Most messages of a call.</param>
    /// <param name="vectors">I/O vectors over all messages.</param>
    public MessageBatch(int messages, int vectors)
    {
        Capacity = messages;
        VectorCapacity = vectors;
        int headersSize = messages * sizeof(MultiMessage);
        int vectorsSize = vectors * sizeof(IoVector);
        int controlsSize = messages * ControlSize;
        nuint total = (nuint)(headersSize + vectorsSize + controlsSize + (messages * KernelAddress.Size));
        _block = (byte*)NativeMemory.AlignedAlloc(total, 64);
        NativeMemory.Clear(_block, total);
        Messages = (MultiMessage*)_block;
        Vectors = (IoVector*)(_block + headersSize);
        Controls = _block + headersSize + vectorsSize;
        Addresses = (KernelAddress*)(Controls + controlsSize);
    }

    public int Capacity { get; }

    public int VectorCapacity { get; }

    public MultiMessage* Messages { get; }

    public IoVector* Vectors { get; }

    public KernelAddress* Addresses { get; }

    private byte* Controls { get; }

    /// <summary>Prepares message number <paramref name="index"/> for receiving into the given vectors.</summary>
    public void PrepareReceive(int index, IoVector* vectors, int count, bool withControl)
    {
        MessageHeader* header = &Messages[index].Header;
        header->Name = Addresses + index;
        header->NameLength = KernelAddress.Size;
        header->Vectors = vectors;
        header->VectorCount = (nuint)count;
        header->Control = withControl ? Controls + (index * ControlSize) : null;
        header->ControlLength = withControl ? ControlSize : (nuint)0;
        header->Flags = 0;
    }

    /// <summary>
    /// Prepares message number <paramref name="index"/> for sending; its address is in place. With a segment size the kernel cuts the
    /// message into datagrams of it (UDP_SEGMENT).
    /// </summary>
    public void PrepareSend(int index, IoVector* vectors, int count, int segmentSize)
    {
        MessageHeader* header = &Messages[index].Header;
        header->Name = Addresses + index;
        header->NameLength = Addresses[index].Length;
        header->Vectors = vectors;
        header->VectorCount = (nuint)count;
        header->Flags = 0;
        header->Control = null;
        header->ControlLength = 0;
        if (segmentSize == 0)
            return;
        var control = (ControlHeader*)(Controls + (index * ControlSize));
        control->Length = (nuint)(sizeof(ControlHeader) + sizeof(ushort));
        control->Level = Libc.IPPROTO_UDP;
        control->Type = Libc.UDP_SEGMENT;
        *(ushort*)(control + 1) = (ushort)segmentSize;
        header->Control = control;
        header->ControlLength = ControlSize;
    }

    /// <summary>The size of the datagrams that the kernel put together in a received message (UDP_GRO), or 0.</summary>
    public int SegmentSizeOf(int index)
    {
        MessageHeader* header = &Messages[index].Header;
        var control = (ControlHeader*)header->Control;
        // Sound: the kernel wrote ControlLength bytes, and ControlSize holds one header with an integer behind it.
        return header->ControlLength >= (nuint)(sizeof(ControlHeader) + sizeof(int))
            && control->Level == Libc.IPPROTO_UDP && control->Type == Libc.UDP_GRO
            ? *(int*)(control + 1)
            : 0;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(_block);
        _block = null;
    }
}
