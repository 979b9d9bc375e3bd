using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.IO.Datagram;
using CryptoPlane.IO.Interop;
using CryptoPlane.Ports;

namespace CryptoPlane.IO;

/// <summary>
/// A raw socket of IP protocol 50 as an lcore's port of ESP packets. The peer is a <see cref="PacketEndpoint"/> (without a port) at the
/// beginning of <see cref="PacketBuffer.Scratch"/>, written at receiving and read at transmitting.
/// </summary>
/// <remarks>
/// <para>What arrives over IPv4 begins with its outer IP header, over IPv6 with the ESP header: so the kernel gives them. What is sent
/// begins with the ESP header in both cases, and the kernel puts the outer header before it.</para>
/// <para>Belongs to one lcore; the constructor and <see cref="Dispose"/> may run on a control thread before and after. Needs
/// CAP_NET_RAW. The kernel offers every ESP packet to every raw socket; a filter on the SPI keeps those of the port's own lcore.</para>
/// </remarks>
public sealed unsafe class RawEspPort : IPacketPort, IDisposable
{
    private const int Messages = 64;

    private readonly PacketPool _pool;
    private readonly MessageBatch _receive = new(Messages, Messages);
    private readonly MessageBatch _transmit = new(Messages, Messages);
    private readonly int _socket;
    private PortCounters* _counters;

    /// <summary>Opens and binds the socket.</summary>
    /// <param name="local">The local address, IPv4 or IPv6.</param>
    /// <param name="lcore">The lcore's index.</param>
    /// <param name="lcores">How many lcores there are.</param>
    /// <param name="pool">The lcore's pool.</param>
    /// <param name="socketBuffer">Bytes of the socket's buffers in each direction.</param>
    /// <exception cref="InvalidOperationException">The kernel refused; the message says what to do.</exception>
    public RawEspPort(IPAddress local, int lcore, int lcores, PacketPool pool, int socketBuffer = 4 * 1024 * 1024)
    {
        ArgumentNullException.ThrowIfNull(local);
        ArgumentNullException.ThrowIfNull(pool);
        _pool = pool;
        _socket = DatagramSocket.Open(local, Libc.SOCK_RAW, Libc.IPPROTO_ESP);
        try
        {
            // Before binding, so that no packet of another lcore slips in between.
            LcoreSteering.AttachToRawSocket(_socket, lcore, lcores, local.AddressFamily == AddressFamily.InterNetwork ? 4 : 6);
            DatagramSocket.SetBuffers(_socket, socketBuffer);
            DatagramSocket.AllowFragments(_socket, local);
            DatagramSocket.Bind(_socket, new IPEndPoint(local, 0), withPort: false);
        }
        catch
        {
            _ = Libc.Close(_socket);
            _receive.Dispose();
            _transmit.Dispose();
            throw;
        }
        _counters = PortCounters.Allocate();
    }

    /// <summary>The socket, for the lcore's <see cref="EpollSet"/>.</summary>
    public int FileDescriptor => _socket;

    /// <summary>A copy of the counters. Any thread, until <see cref="Dispose"/>.</summary>
    public PortCounters ReadCounters() => PortCounters.Copy(_counters);

    /// <inheritdoc/>
    public int Receive(PacketBuffer** burst, int capacity)
    {
        int wanted = Math.Min(capacity, Messages);
        int rented = 0;
        while (rented < wanted && _pool.TryRent(out PacketBuffer* packet))
        {
            _receive.Vectors[rented] = new IoVector(packet->Data, packet->Tailroom);
            _receive.PrepareReceive(rented, _receive.Vectors + rented, 1, withControl: false);
            burst[rented++] = packet;
        }
        if (rented < wanted)
            _counters->NoBuffer++;
        if (rented == 0)
            return 0;

        int received = DatagramSocket.Receive(_socket, _receive.Messages, rented, out int error);
        if (received > 0)
            _counters->ReceiveCalls++;
        else if (error is not (0 or Errno.EAGAIN))
            _counters->ReceiveErrors++;

        int kept = 0;
        for (int i = 0; i < rented; i++)
        {
            PacketBuffer* packet = burst[i];
            if (i >= received || !TryAccept(i, packet))
                _pool.Return(packet);
            else
                burst[kept++] = packet;
        }
        return kept;
    }

    /// <inheritdoc/>
    public int Transmit(PacketBuffer** burst, int count)
    {
        int taken = 0;
        while (taken < count)
        {
            int part = Math.Min(count - taken, Messages);
            for (int i = 0; i < part; i++)
            {
                PacketBuffer* packet = burst[taken + i];
                // A packet without a peer becomes an unaddressed message, which the kernel refuses and SendAll counts.
                _ = KernelAddress.TryFrom(in *(PacketEndpoint*)packet->Scratch, _transmit.Addresses + i, withPort: false);
                _transmit.Vectors[i] = new IoVector(packet->Data, packet->Length);
                _transmit.PrepareSend(i, _transmit.Vectors + i, 1, segmentSize: 0);
            }
            int sent = SendAll(part, burst + taken);
            _pool.Return(burst + taken, sent);
            taken += sent;
            if (sent < part)
                return taken;
        }
        return taken;
    }

    /// <summary>Closes the socket and frees the port's memory.</summary>
    public void Dispose()
    {
        if (_counters == null)
            return;
        _ = Libc.Close(_socket);
        NativeMemory.AlignedFree(_counters);
        _receive.Dispose();
        _transmit.Dispose();
        _counters = null;
    }

    private bool TryAccept(int message, PacketBuffer* packet)
    {
        if ((_receive.Messages[message].Header.Flags & Libc.MSG_TRUNC) != 0)
        {
            _counters->DropTooLong++;
            return false;
        }
        packet->TrySetLength((int)_receive.Messages[message].Length);
        _receive.Addresses[message].Write((PacketEndpoint*)packet->Scratch);
        _counters->ReceivedPackets++;
        _counters->ReceivedBytes += packet->Length;
        return true;
    }

    private int SendAll(int messages, PacketBuffer** burst)
    {
        int done = 0;
        while (done < messages)
        {
            int sent = DatagramSocket.Send(_socket, _transmit.Messages + done, messages - done, out int error);
            if (sent == 0)
            {
                if (error is Errno.EAGAIN or Errno.ENOBUFS)
                    break;
                _counters->DropRefused++;
                done++;
                continue;
            }
            _counters->TransmitCalls++;
            _counters->TransmittedPackets += sent;
            for (int end = done + sent; done < end; done++)
                _counters->TransmittedBytes += burst[done]->Length;
        }
        return done;
    }
}
