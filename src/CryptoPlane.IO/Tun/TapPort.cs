using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO;

/// <summary>One queue of a TAP device as an lcore's port of whole Ethernet frames, without their frame check sequence.</summary>
/// <remarks>
/// Belongs to one lcore. A system call per frame: this is the way of what is exceptional. A frame that does not fit a buffer, or that the
/// kernel refuses, is dropped and counted. The constructor and <see cref="Dispose"/> may run on a control thread before and after.
/// </remarks>
public sealed unsafe class TapPort : IPacketPort, IDisposable
{
    // The Ethernet header and one 802.1Q tag, which the MTU does not count.
    private const int LinkOverhead = 14 + 4;

    private readonly PacketPool _pool;
    private readonly int _file;
    private PortCounters* _counters;

    /// <summary>Makes the port of a queue.</summary>
    /// <param name="device">The device; it stays open as long as the port is used.</param>
    /// <param name="queue">The queue's index; one port each.</param>
    /// <param name="pool">The lcore's pool; its buffers hold a frame of the device's MTU and 18 bytes behind their headroom.</param>
    public TapPort(TapDevice device, int queue, PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(pool);
        int room = pool.BufferSize - pool.DefaultHeadroom;
        if (room < device.Options.Mtu + LinkOverhead)
            throw new ArgumentException(
                $"The pool's buffers have room for {room} bytes, less than the MTU {device.Options.Mtu} of {device.Name} and {LinkOverhead} bytes of Ethernet: make them bigger.", nameof(pool));
        _pool = pool;
        _file = device.Queue(queue);
        _counters = PortCounters.Allocate();
    }

    /// <summary>The queue's descriptor, for the lcore's <see cref="EpollSet"/>.</summary>
    public int FileDescriptor => _file;

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
            nint length = Read(packet);
            if (length > 0 && packet->TrySetLength((int)length))
            {
                bytes += length;
                burst[count++] = packet;
                continue;
            }
            _pool.Return(packet);
            if (length <= 0)
                break;
            _counters->DropTooLong++;
        }
        _counters->ReceivedPackets += count;
        _counters->ReceivedBytes += bytes;
        return count;
    }

    /// <inheritdoc/>
    /// <remarks>All are taken: a TAP device has no queue in this direction that could fill up.</remarks>
    public int Transmit(PacketBuffer** burst, int count)
    {
        for (int i = 0; i < count; i++)
            Write(burst[i]);
        _pool.Return(burst, count);
        return count;
    }

    /// <summary>Frees the port's memory. The queue's descriptor is the device's.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_counters);
        _counters = null;
    }

    /// <summary>
    /// Reads one frame. The kernel cuts off what does not fit, so that one byte more than the buffer's is offered: if it was used, the
    /// frame is too long.
    /// </summary>
    /// <returns>Bytes, maybe more than fit; 0 or less when there is nothing.</returns>
    private nint Read(PacketBuffer* packet)
    {
        byte excess;
        IoVector* vectors = stackalloc IoVector[2];
        // Sound: the buffer was rented a moment ago, so all behind its headroom is free.
        vectors[0] = new IoVector(packet->Data, packet->Tailroom);
        vectors[1] = new IoVector(&excess, 1);
        nint read;
        do
            read = Libc.ReadVector(_file, vectors, 2);
        while (read < 0 && Errno.Last == Errno.EINTR);
        if (read >= 0)
            _counters->ReceiveCalls++;
        else if (Errno.Last != Errno.EAGAIN)
            _counters->ReceiveErrors++;
        return read;
    }

    private void Write(PacketBuffer* packet)
    {
        nint written;
        do
            written = Libc.Write(_file, packet->Data, (nuint)packet->Length);
        while (written < 0 && Errno.Last == Errno.EINTR);
        if (written >= 0)
        {
            _counters->TransmitCalls++;
            _counters->TransmittedPackets++;
            _counters->TransmittedBytes += packet->Length;
        }
        else if (Errno.Last is Errno.EAGAIN or Errno.ENOBUFS or Errno.ENOMEM)
        {
            _counters->DropQueueFull++;
        }
        else
        {
            _counters->DropRefused++;
        }
    }
}
