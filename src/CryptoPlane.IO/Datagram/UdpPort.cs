using System.Net;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Datagram;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO;

/// <summary>
/// A UDP socket as an lcore's port: a packet is a datagram's payload, and the peer is a <see cref="PacketEndpoint"/> at the beginning of
/// <see cref="PacketBuffer.Scratch"/>, written at receiving and read at transmitting.
/// </summary>
/// <remarks>
/// Belongs to one lcore; the constructor and <see cref="Dispose"/> may run on a control thread before and after. Bursts are one system
/// call, and with <see cref="UdpPortOptions.Offloads"/> runs of equal datagrams to one peer cross the kernel's stack as one.
/// </remarks>
public sealed unsafe class UdpPort : IPacketPort, IDisposable
{
    private const int Messages = 32;
    private const int Vectors = 256;

    /// <summary>Most datagrams of one UDP_SEGMENT message (UDP_MAX_SEGMENTS of older kernels), and most bytes.</summary>
    private const int MaxSegments = 64, MaxSegmentedBytes = 65_000;

    /// <summary>Room for the longest message; only the pages that are used cost memory.</summary>
    private const int SlotSize = 65_536;

    private readonly PacketPool _pool;
    private readonly MessageBatch _receive = new(Messages, Messages);
    private readonly MessageBatch _transmit = new(Messages, Vectors);
    private readonly int[] _packetsOfMessage = new int[Messages];
    private readonly int _socket;
    private readonly bool _gro;
    private readonly nuint _slotBytes = (nuint)Messages * SlotSize;
    private byte* _slots;
    private PortCounters* _counters;
    private bool _gso;

    // What the last receive call brought and the lcore has not fetched yet.
    private int _received, _nextMessage, _nextOffset;

    /// <summary>Opens and binds the socket.</summary>
    /// <param name="options">Where, and how.</param>
    /// <param name="pool">The lcore's pool.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what to do.</exception>
    public UdpPort(UdpPortOptions options, PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
        _socket = DatagramSocket.Open(options.Local.Address, Libc.SOCK_DGRAM, Libc.IPPROTO_UDP);
        try
        {
            if (options.ReusePort)
                DatagramSocket.Set(_socket, Libc.SOL_SOCKET, Libc.SO_REUSEPORT, 1, "SO_REUSEPORT");
            DatagramSocket.SetBuffers(_socket, options.SocketBuffer);
            DatagramSocket.AllowFragments(_socket, options.Local.Address);
            _gro = options.Offloads && DatagramSocket.TrySet(_socket, Libc.IPPROTO_UDP, Libc.UDP_GRO, 1);
            _gso = options.Offloads;
            DatagramSocket.Bind(_socket, options.Local);
        }
        catch
        {
            _ = Libc.Close(_socket);
            _receive.Dispose();
            _transmit.Dispose();
            throw;
        }
        _slots = KernelPacketMemory.Instance.Allocate(_slotBytes, 4096);
        _counters = PortCounters.Allocate();
    }

    /// <summary>The socket, for the lcore's <see cref="EpollSet"/> and for <see cref="LcoreSteering"/>.</summary>
    public int FileDescriptor => _socket;

    /// <summary>The address and port that the socket is bound to.</summary>
    public IPEndPoint LocalEndPoint => DatagramSocket.LocalEndPoint(_socket);

    /// <summary>
    /// Whether datagrams wait inside the port, of which no descriptor tells: call <see cref="Receive"/> again before sleeping.
    /// </summary>
    public bool HasPendingPackets => _nextMessage < _received;

    /// <summary>A copy of the counters. Any thread, until <see cref="Dispose"/>.</summary>
    public PortCounters ReadCounters() => PortCounters.Copy(_counters);

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity)
    {
        int count = 0;
        long bytes = 0;
        while (count < capacity && (HasPendingPackets || Fill()))
        {
            if (!_pool.TryRent(out PacketBuffer* packet))
            {
                _counters->NoBuffer++;
                break;
            }
            if (!TryFetch(packet))
            {
                _counters->DropTooLong++;
                _pool.Return(packet);
                continue;
            }
            bytes += packet->Length;
            burst[count++] = packet;
        }
        _counters->ReceivedPackets += count;
        _counters->ReceivedBytes += bytes;
        return count;
    }

    /// <inheritdoc/>
    public int Transmit(PacketBuffer** burst, int count)
    {
        int taken = 0;
        bool segment = _gso;
        while (taken < count)
        {
            int messages = Gather(burst + taken, count - taken, segment, out int gathered);
            int sent = SendAll(messages, burst + taken, out bool segmentsRefused);
            _pool.Return(burst + taken, sent);
            taken += sent;
            if (segmentsRefused)
                segment = false;
            else if (sent < gathered)
                break; // The socket's buffer is full: what is left stays the caller's.
        }
        return taken;
    }

    /// <summary>Closes the socket and frees the port's memory.</summary>
    public void Dispose()
    {
        if (_slots == null)
            return;
        _ = Libc.Close(_socket);
        KernelPacketMemory.Instance.Free(_slots, _slotBytes);
        NativeMemory.AlignedFree(_counters);
        _receive.Dispose();
        _transmit.Dispose();
        _slots = null;
        _received = _nextMessage = 0;
    }

    private bool Fill()
    {
        for (int i = 0; i < Messages; i++)
        {
            _receive.Vectors[i] = new IoVector(_slots + (i * SlotSize), SlotSize);
            _receive.PrepareReceive(i, _receive.Vectors + i, 1, _gro);
        }
        _nextMessage = 0;
        _nextOffset = 0;
        _received = DatagramSocket.Receive(_socket, _receive.Messages, Messages, out int error);
        if (_received > 0)
        {
            _counters->ReceiveCalls++;
            return true;
        }
        // ECONNREFUSED and its like are the network's answer to something sent earlier: the next call goes on.
        if (error is not (0 or Errno.EAGAIN))
            _counters->ReceiveErrors++;
        return false;
    }

    /// <summary>Copies the next datagram out; false, and past it, if it is longer than the buffer.</summary>
    private bool TryFetch(PacketBuffer* packet)
    {
        int message = _nextMessage;
        int length = (int)_receive.Messages[message].Length;
        int segment = _gro ? _receive.SegmentSizeOf(message) : 0;
        int size = segment > 0 ? Math.Min(segment, length - _nextOffset) : length;
        if (segment > 0 && _nextOffset == 0 && segment < length)
            _counters->ReceivedSuperPackets++;
        byte* source = _slots + (message * SlotSize) + _nextOffset;

        bool fits = packet->TrySetLength(size);
        if (fits)
        {
            // Sound: the kernel wrote length bytes to this slot, and offset + size does not pass them.
            Buffer.MemoryCopy(source, packet->Data, packet->Length, size);
            _receive.Addresses[message].Write((PacketEndpoint*)packet->Scratch);
        }
        _nextOffset += size;
        if (_nextOffset >= length)
        {
            _nextMessage++;
            _nextOffset = 0;
        }
        return fits;
    }

    /// <summary>Makes messages of the packets at the front of a burst.</summary>
    /// <returns>How many messages; <paramref name="gathered"/> packets are in them.</returns>
    private int Gather(PacketBuffer** burst, int count, bool segment, out int gathered)
    {
        gathered = 0;
        int messages = 0, vectors = 0;
        while (gathered < count && messages < Messages && vectors < Vectors)
        {
            PacketBuffer* first = burst[gathered];
            var peer = (PacketEndpoint*)first->Scratch;
            // A packet without a peer becomes an unaddressed message, which the kernel refuses and SendAll counts.
            _ = KernelAddress.TryFrom(in *peer, _transmit.Addresses + messages);
            int run = segment ? RunLength(burst + gathered, Math.Min(count - gathered, Vectors - vectors)) : 1;
            for (int i = 0; i < run; i++)
                _transmit.Vectors[vectors + i] = new IoVector(burst[gathered + i]->Data, burst[gathered + i]->Length);
            _transmit.PrepareSend(messages, _transmit.Vectors + vectors, run, run > 1 ? first->Length : 0);
            _packetsOfMessage[messages++] = run;
            vectors += run;
            gathered += run;
        }
        return messages;
    }

    /// <summary>How many packets go to the first one's peer and have its length; one shorter may end the run.</summary>
    private static int RunLength(PacketBuffer** burst, int limit)
    {
        PacketBuffer* first = burst[0];
        int segment = first->Length;
        int bytes = segment;
        int run = 1;
        limit = Math.Min(limit, MaxSegments);
        while (run < limit && segment > 0)
        {
            PacketBuffer* next = burst[run];
            if (next->Length > segment || next->Length == 0 || bytes + next->Length > MaxSegmentedBytes
                || *(PacketEndpoint*)next->Scratch != *(PacketEndpoint*)first->Scratch)
                break;
            bytes += next->Length;
            run++;
            if (next->Length < segment)
                break;
        }
        return run;
    }

    /// <summary>Sends the gathered messages; what the kernel refuses for itself is dropped and counted, and the rest goes on.</summary>
    /// <returns>
    /// How many packets are done with, from the front; <paramref name="segmentsRefused"/> if the next ones are to go one by one.
    /// </returns>
    private int SendAll(int messages, PacketBuffer** burst, out bool segmentsRefused)
    {
        segmentsRefused = false;
        int packets = 0;
        for (int message = 0; message < messages;)
        {
            int sent = DatagramSocket.Send(_socket, _transmit.Messages + message, messages - message, out int error);
            if (sent == 0)
            {
                if (error is Errno.EAGAIN or Errno.ENOBUFS)
                    return packets;
                if (error is Errno.EIO or Errno.EINVAL or Errno.EMSGSIZE && _packetsOfMessage[message] > 1)
                {
                    // EIO: the path's device cannot checksum a segmented datagram, now or ever. The others: a segment is longer than
                    // this path's MTU, which says nothing about the next peer's.
                    segmentsRefused = true;
                    _gso &= error != Errno.EIO;
                    return packets;
                }
                _counters->DropRefused += _packetsOfMessage[message];
                packets += _packetsOfMessage[message++];
                continue;
            }
            _counters->TransmitCalls++;
            for (int end = message + sent; message < end; message++)
            {
                int run = _packetsOfMessage[message];
                if (run > 1)
                    _counters->TransmittedSuperPackets++;
                for (int i = 0; i < run; i++)
                    _counters->TransmittedBytes += burst[packets + i]->Length;
                _counters->TransmittedPackets += run;
                packets += run;
            }
        }
        return packets;
    }
}
