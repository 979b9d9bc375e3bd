using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Interop;
using CryptoPlane.IO.Offload;
using CryptoPlane.Ports;

namespace CryptoPlane.IO;

/// <summary>
/// One queue of a TUN device as an lcore's port of IP packets. What the kernel hands over as one super-packet arrives as packets of the
/// flow's own size with finished checksums; runs of a flow's packets leave as one super-packet, in one system call and without a copy.
/// </summary>
/// <remarks>
/// Belongs to one lcore. A malformed packet from the kernel, or one that the kernel refuses, is dropped and counted. The constructor
/// and <see cref="Dispose"/> may run on a control thread before and after.
/// </remarks>
public sealed unsafe class TunPort : IPacketPort, IDisposable
{
    private const int ScratchSize = 65_536 + 256;

    private readonly PacketPool _pool;
    private readonly PacketCoalescer _coalescer;
    private readonly int _file;
    private byte* _scratch;
    private IoVector* _vectors;
    private PortCounters* _counters;
    private SuperPacket _pending;

    /// <summary>Makes the port of a queue.</summary>
    /// <param name="device">The device; it stays open as long as the port is used.</param>
    /// <param name="queue">The queue's index; one port each.</param>
    /// <param name="pool">The lcore's pool; its buffers hold a packet of the device's MTU behind their headroom.</param>
    public TunPort(TunDevice device, int queue, PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(pool);
        if (pool.BufferSize - pool.DefaultHeadroom < device.Options.Mtu)
            throw new ArgumentException(
                $"The pool's buffers have room for {pool.BufferSize - pool.DefaultHeadroom} bytes, less than the MTU {device.Options.Mtu} of {device.Name}: make them bigger.", nameof(pool));
        _pool = pool;
        _file = device.Queue(queue);
        _coalescer = new PacketCoalescer(device.Options.Offloads, device.HasUdpOffload);
        _scratch = (byte*)NativeMemory.AlignedAlloc(ScratchSize, 4096);
        _vectors = (IoVector*)NativeMemory.AlignedAlloc((nuint)(sizeof(IoVector) * (PacketCoalescer.MaximumGroup + 1)), 64);
        _counters = PortCounters.Allocate();
    }

    /// <summary>The queue's descriptor, for the lcore's <see cref="EpollSet"/>.</summary>
    public int FileDescriptor => _file;

    /// <summary>
    /// Whether packets of a super-packet wait inside the port, of which no descriptor tells: call <see cref="Receive"/> again before
    /// sleeping.
    /// </summary>
    public bool HasPendingPackets => _pending.HasMore;

    /// <summary>A copy of the counters. Any thread, until <see cref="Dispose"/>.</summary>
    public PortCounters ReadCounters() => PortCounters.Copy(_counters);

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = 0;
        long bytes = 0;
        while (count < capacity)
        {
            if (!_pool.TryRent(out PacketBuffer* packet))
            {
                _counters->NoBuffer++;
                break;
            }
            if (_pending.HasMore)
            {
                packet->TrySetLength(_pending.WriteNext(packet->Data));
            }
            else
            {
                ReadResult result = Read(packet);
                if (result != ReadResult.Packet)
                {
                    _pool.Return(packet);
                    if (result == ReadResult.Nothing)
                        break;
                    continue;
                }
            }
            bytes += packet->Length;
            burst[count++] = packet;
        }
        _counters->ReceivedPackets += count;
        _counters->ReceivedBytes += bytes;
        return count;
    }

    /// <inheritdoc/>
    /// <remarks>All are taken: a TUN device has no queue in this direction that could fill up.</remarks>
    public int Transmit(PacketBuffer** burst, int count)
    {
        for (int done = 0; done < count;)
        {
            int part = Math.Min(count - done, PacketCoalescer.MaximumBurst);
            _coalescer.Sort(burst + done, part);
            for (int group = 0; group < _coalescer.GroupCount; group++)
                WriteGroup(group);
            _pool.Return(burst + done, part);
            done += part;
        }
        return count;
    }

    /// <summary>Frees the port's memory. The queue's descriptor is the device's.</summary>
    public void Dispose()
    {
        if (_scratch == null)
            return;
        _pending = default;
        _coalescer.Dispose();
        NativeMemory.Clear(_scratch, ScratchSize);
        NativeMemory.AlignedFree(_scratch);
        NativeMemory.AlignedFree(_vectors);
        NativeMemory.AlignedFree(_counters);
        _scratch = null;
    }

    private enum ReadResult
    {
        /// <summary>The buffer holds a packet.</summary>
        Packet,

        /// <summary>The buffer is empty; look again: a super-packet was begun, or something was dropped.</summary>
        Again,

        /// <summary>The queue is empty.</summary>
        Nothing,
    }

    /// <summary>
    /// Reads one packet: into the buffer as far as it goes, the rest into the scratch memory, which a super-packet then moves to.
    /// </summary>
    private ReadResult Read(PacketBuffer* packet)
    {
        VirtioNetHeader header;
        int room = packet->Tailroom;
        _vectors[0] = new IoVector((byte*)&header, VirtioNetHeader.Size);
        _vectors[1] = new IoVector(packet->Data, room);
        _vectors[2] = new IoVector(_scratch + room, ScratchSize - room);
        nint read;
        do
            read = Libc.ReadVector(_file, _vectors, 3);
        while (read < 0 && Errno.Last == Errno.EINTR);
        if (read < 0)
        {
            if (Errno.Last != Errno.EAGAIN)
                _counters->ReceiveErrors++;
            return ReadResult.Nothing;
        }

        _counters->ReceiveCalls++;
        int length = (int)read - VirtioNetHeader.Size;
        if (length <= 0)
        {
            _counters->DropMalformed++;
            return ReadResult.Again;
        }
        if (header.GsoType == VirtioNetHeader.GsoNone)
        {
            if (!packet->TrySetLength(length))
                return Drop(ref _counters->DropTooLong);
            return ChecksumCompletion.TryComplete(in header, packet->Data, length) ? ReadResult.Packet : Drop(ref _counters->DropMalformed);
        }

        // Sound: the scratch memory has ScratchSize bytes, of which the read filled those from room on.
        Buffer.MemoryCopy(packet->Data, _scratch, room, Math.Min(length, room));
        if (!SuperPacket.TryParse(in header, _scratch, length, out SuperPacket super))
            return Drop(ref _counters->DropMalformed);
        if (super.NextLength > room)
            return Drop(ref _counters->DropTooLong);
        _pending = super;
        _counters->ReceivedSuperPackets++;
        return ReadResult.Again;
    }

    private static ReadResult Drop(ref long counter)
    {
        counter++;
        return ReadResult.Again;
    }

    private void WriteGroup(int group)
    {
        VirtioNetHeader header;
        int bytes = _coalescer.Write(group, &header, _vectors + 1, out int packets);
        _vectors[0] = new IoVector((byte*)&header, VirtioNetHeader.Size);
        nint written;
        do
            written = Libc.WriteVector(_file, _vectors, packets + 1);
        while (written < 0 && Errno.Last == Errno.EINTR);
        if (written < 0)
        {
            if (Errno.Last is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
                _counters->DropQueueFull += packets;
            else
                _counters->DropRefused += packets;
            return;
        }
        _counters->TransmitCalls++;
        _counters->TransmittedPackets += packets;
        _counters->TransmittedBytes += bytes;
        if (packets > 1)
            _counters->TransmittedSuperPackets++;
    }
}
