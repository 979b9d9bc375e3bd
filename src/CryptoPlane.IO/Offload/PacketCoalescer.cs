using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using static CryptoPlane.IO.Offload.HeaderFields;

namespace CryptoPlane.IO.Offload;

/// <summary>
/// Sorts a burst of IP packets into super-packets: runs of TCP segments (or UDP datagrams) that one flow sent back to back, though
/// other flows' packets lie between them. Each group is written with one system call, straight from the packets' buffers.
/// </summary>
/// <remarks>
/// <para>A group is exactly what <see cref="SuperPacket"/> would cut into the same packets again, header by header (PSH on the last,
/// IPv4 identification of DF packets aside). Packets of one flow keep their order: a packet that cannot join its flow's latest group
/// begins a new one behind it.</para>
/// <para>Belongs to one port of one lcore. The packets are changed only by <see cref="Write"/>.</para>
/// </remarks>
internal sealed unsafe class PacketCoalescer : IDisposable
{
    /// <summary>Packets that one <see cref="Sort"/> takes.</summary>
    public const int MaximumBurst = 512;

    /// <summary>Packets of one group: Linux refuses UDP super-packets of more.</summary>
    public const int MaximumGroup = 64;

    private const int MaximumPacket = ushort.MaxValue;

    private readonly bool _mergeTcp;
    private readonly bool _mergeUdp;
    private Group* _groups;
    private int* _hashes;
    private short* _next;
    private PacketBuffer** _packets;
    private int _groupCount;

    /// <summary>Takes memory for the bookkeeping of one burst.</summary>
    /// <param name="mergeTcp">The device takes TCP super-packets.</param>
    /// <param name="mergeUdp">The device takes UDP super-packets.</param>
    public PacketCoalescer(bool mergeTcp, bool mergeUdp)
    {
        _mergeTcp = mergeTcp;
        _mergeUdp = mergeUdp;
        _groups = (Group*)NativeMemory.AlignedAlloc((nuint)(sizeof(Group) * MaximumBurst), 64);
        _hashes = (int*)NativeMemory.AlignedAlloc(sizeof(int) * MaximumBurst, 64);
        _next = (short*)NativeMemory.AlignedAlloc(sizeof(short) * MaximumBurst, 64);
    }

    /// <summary>Groups that the last <see cref="Sort"/> made, in the order in which they must be written.</summary>
    public int GroupCount => _groupCount;

    /// <summary>Sorts a burst.</summary>
    /// <param name="packets">The packets; the array must stay until the groups are written.</param>
    /// <param name="count">At most <see cref="MaximumBurst"/>.</param>
    public void Sort(PacketBuffer** packets, int count)
    {
        System.Diagnostics.Debug.Assert(count <= MaximumBurst, "the caller cuts bursts");
        _packets = packets;
        _groupCount = 0;
        for (int i = 0; i < count; i++)
        {
            bool mergeable = FlowPacket.TryRead(packets[i]->Data, packets[i]->Length, _mergeUdp, out FlowPacket packet)
                && (_mergeTcp || !packet.IsTcp);
            if (mergeable && TryAppend(in packet, i))
                continue;

            // Sound: there are at most as many groups as packets, and count is at most MaximumBurst.
            Group* group = _groups + _groupCount;
            group->First = packet;
            group->Head = group->Tail = (short)i;
            group->Count = 1;
            group->Payload = packet.Payload;
            group->EndsInPush = packet.IsPush;
            group->IsOpen = mergeable && !packet.IsPush;
            _hashes[_groupCount++] = packet.FlowHash;
            _next[i] = -1;
        }
    }

    /// <summary>Prepares one group: fills the virtio header and the vectors, and rewrites the first packet's headers if there are others behind it.</summary>
    /// <param name="index">Below <see cref="GroupCount"/>.</param>
    /// <param name="header">Filled for the kernel.</param>
    /// <param name="vectors">Room for <see cref="MaximumGroup"/> vectors.</param>
    /// <param name="vectorCount">Vectors used: the group's packets.</param>
    /// <returns>Bytes of the packets, before they lose their headers.</returns>
    public int Write(int index, VirtioNetHeader* header, IoVector* vectors, out int vectorCount)
    {
        Group* group = _groups + index;
        *header = default;
        PacketBuffer* head = _packets[group->Head];
        vectors[0] = new IoVector(head->Data, head->Length);
        vectorCount = group->Count;
        if (group->Count == 1)
            return head->Length;

        ref FlowPacket first = ref group->First;
        int skip = first.Headers;
        int used = 1;
        for (short i = _next[group->Head]; i >= 0; i = _next[i])
            vectors[used++] = new IoVector(_packets[i]->Data + skip, _packets[i]->Length - skip);
        RewriteHeaders(ref first, group->Payload, group->EndsInPush);

        header->Flags = VirtioNetHeader.NeedsChecksum;
        header->GsoType = !first.IsTcp ? VirtioNetHeader.GsoUdp : first.IsIPv6 ? VirtioNetHeader.GsoTcp6 : VirtioNetHeader.GsoTcp4;
        header->HeaderLength = (ushort)first.Headers;
        header->SegmentSize = (ushort)first.Payload;
        header->ChecksumStart = (ushort)first.Transport;
        header->ChecksumOffset = first.IsTcp ? (ushort)TcpChecksum : (ushort)UdpChecksum;
        return group->Payload + (skip * group->Count);
    }

    /// <summary>Frees the bookkeeping.</summary>
    public void Dispose()
    {
        if (_groups == null)
            return;
        NativeMemory.AlignedFree(_groups);
        NativeMemory.AlignedFree(_hashes);
        NativeMemory.AlignedFree(_next);
        _groups = null;
    }

    private bool TryAppend(in FlowPacket packet, int index)
    {
        int candidate = new ReadOnlySpan<int>(_hashes, _groupCount).LastIndexOf(packet.FlowHash);
        if (candidate < 0)
            return false;
        Group* group = _groups + candidate;
        ref FlowPacket first = ref group->First;
        if (!group->IsOpen
            || packet.Payload > first.Payload
            || group->Count == MaximumGroup
            || first.Headers + group->Payload + packet.Payload > MaximumPacket
            || (packet.IsTcp && packet.Sequence != first.Sequence + (uint)group->Payload)
            || !packet.Continues(in first, group->Count))
            return false;

        _next[group->Tail] = (short)index;
        _next[index] = -1;
        group->Tail = (short)index;
        group->Count++;
        group->Payload += packet.Payload;
        group->EndsInPush = packet.IsPush;
        // Only the last packet of a super-packet may be shorter than the others, or carry PSH.
        group->IsOpen = packet.Payload == first.Payload && !packet.IsPush;
        return true;
    }

    private static void RewriteHeaders(ref FlowPacket first, int payload, bool push)
    {
        byte* packet = first.Data;
        byte* transport = packet + first.Transport;
        int covered = first.Headers - first.Transport + payload;
        if (first.IsIPv6)
        {
            Write16(packet + IPv6PayloadLength, (ushort)(first.Headers - IPv6HeaderSize + payload));
        }
        else
        {
            Write16(packet + IPv4TotalLength, (ushort)(first.Headers + payload));
            WriteIPv4Checksum(packet, IPv4HeaderSize);
        }

        byte protocol = first.IsTcp ? ProtocolTcp : ProtocolUdp;
        if (first.IsTcp && push)
            transport[TcpFlags] |= Push;
        else if (!first.IsTcp)
            Write16(transport + UdpLength, (ushort)covered);
        ulong pseudo = first.IsIPv6
            ? InternetChecksum.PseudoHeaderIPv6(packet, protocol, covered)
            : InternetChecksum.PseudoHeaderIPv4(packet, protocol, covered);
        Unsafe.WriteUnaligned(transport + (first.IsTcp ? TcpChecksum : UdpChecksum), InternetChecksum.Fold(pseudo));
    }

    private struct Group
    {
        public FlowPacket First;
        public int Payload;
        public int Count;
        public short Head;
        public short Tail;
        public bool IsOpen;
        public bool EndsInPush;
    }
}
