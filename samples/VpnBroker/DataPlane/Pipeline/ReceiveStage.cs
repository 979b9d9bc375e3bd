using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Capture;
using CryptoPlane.IO;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>What a connection has received in this turn, in the lcore's receive area.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ReceivedBytes
{
    /// <summary>The tunnel's slot.</summary>
    public int Tunnel;

    /// <summary>The first byte that is not cut into records yet.</summary>
    public byte* Next;

    /// <summary>Behind the last byte.</summary>
    public byte* End;
}

/// <summary>
/// The first stage: what the connections, the TUN queue and the ESP sockets have. Connections are read into one area of the lcore, many
/// records at a time, so that a tunnel that waits owns no buffer; what is left of an unfinished record goes into a few chunks.
/// </summary>
internal sealed unsafe class ReceiveStage : IDisposable
{
    /// <summary>Bytes of the receive area.</summary>
    public const int AreaSize = 512 * 1024;

    /// <summary>What a connection needs at least, so that a record that has begun can be finished.</summary>
    private const int MinimumRead = 2 * TlsRecordSizes.MaxRecord;

    /// <summary>Most that one connection gets of the area in a turn in which others are ready too.</summary>
    private const int FairShare = 64 * 1024;

    private const int MaxConnections = 256;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private byte* _area;
    private int _used;

    public ReceiveStage(LcoreContext context, TunnelTable tunnels)
    {
        _context = context;
        _tunnels = tunnels;
        _area = context.Memory.Allocate(AreaSize, 4096);
        Connections = (ReceivedBytes*)NativeMemory.Alloc(MaxConnections, (nuint)sizeof(ReceivedBytes));
    }

    /// <summary>What was received, in the order of the connections' events.</summary>
    public ReceivedBytes* Connections { get; private set; }

    /// <summary>How many connections have received something.</summary>
    public int ConnectionCount { get; private set; }

    /// <summary>Begins a turn: the area is empty.</summary>
    public void Begin()
    {
        _used = 0;
        ConnectionCount = 0;
    }

    /// <summary>Reads a connection that is ready. If the area has no room left, the epoll set reports it again in the next turn.</summary>
    /// <param name="slot">The tunnel.</param>
    /// <param name="alone">Whether no other connection is ready, so that it may have the whole area.</param>
    public void Read(int slot, bool alone)
    {
        int room = AreaSize - _used;
        if (room < MinimumRead || ConnectionCount == MaxConnections)
            return;
        UserTunnel* tunnel = _tunnels[slot];
        if ((tunnel->Flags & TunnelFlags.Received) != 0)
            return;
        byte* start = _area + _used;
        int carried = tunnel->Partial.Length;
        int limit = Math.Min(room - carried, alone ? AreaSize / 2 : FairShare);
        // Sound: carried is less than a record, and MinimumRead leaves room for it and for `limit` bytes behind.
        switch (TcpSocket.Receive(tunnel->Socket, start + carried, limit, out int received))
        {
            case IoStatus.Done:
                tunnel->Partial.Drain(_context.PartialMemory, start);
                tunnel->LastReceived = _context.NowMilliseconds;
                tunnel->DpdAsked = 0;
                if (_context.Tap.IsOn)
                    _context.Tap.Stream(CapturePoint.Tls, CaptureDirection.In, start + carried, received, ref tunnel->Capture);
                Add(slot, carried + received);
                break;
            case IoStatus.WouldBlock:
                break;
            default:
                _tunnels.End(slot, TunnelEndReason.ConnectionLost, Farewell.None);
                break;
        }
    }

    /// <summary>Throws away what a client still sends whose tunnel has ended, until it closes.</summary>
    public void Discard(int slot)
    {
        int room = AreaSize - _used;
        if (room < MinimumRead)
            return;
        if (TcpSocket.Receive(_tunnels[slot]->Socket, _area + _used, room, out _) is not (IoStatus.Done or IoStatus.WouldBlock))
            _tunnels.Close(slot, _tunnels[slot]->EndReason);
    }

    /// <summary>Whether bytes of a new tunnel can be taken in this turn.</summary>
    public bool HasRoom => AreaSize - _used >= AreaSize / 2 && ConnectionCount < MaxConnections / 2;

    /// <summary>Takes bytes that had been received before the tunnel came to this lcore.</summary>
    /// <returns>False when the area has no room.</returns>
    public bool TryInject(int slot, byte* bytes, int count)
    {
        if (count > AreaSize - _used || ConnectionCount == MaxConnections)
            return false;
        Buffer.MemoryCopy(bytes, _area + _used, count, count);
        if (_context.Tap.IsOn)
            _context.Tap.Stream(CapturePoint.Tls, CaptureDirection.In, bytes, count, ref _tunnels[slot]->Capture);
        Add(slot, count);
        return true;
    }

    /// <summary>Ends a turn: the beginnings of records whose rest has not come are kept.</summary>
    public void KeepPartialRecords()
    {
        for (int i = 0; i < ConnectionCount; i++)
        {
            ReceivedBytes* connection = Connections + i;
            UserTunnel* tunnel = _tunnels[connection->Tunnel];
            tunnel->Flags &= ~TunnelFlags.Received;
            int left = (int)(connection->End - connection->Next);
            if (left == 0 || tunnel->State != TunnelState.Open)
                continue;
            if (!tunnel->Partial.TryAppend(_context.PartialMemory, connection->Next, left))
            {
                _context.Counters->Drop(Counters.DropReason.BuffersExhausted);
                _tunnels.End(connection->Tunnel, TunnelEndReason.ConnectionLost, Farewell.None);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_area != null)
            _context.Memory.Free(_area, AreaSize);
        NativeMemory.Free(Connections);
        _area = null;
        Connections = null;
    }

    private void Add(int slot, int count)
    {
        Connections[ConnectionCount++] = new ReceivedBytes { Tunnel = slot, Next = _area + _used, End = _area + _used + count };
        _used += count;
        _tunnels[slot]->Flags |= TunnelFlags.Received;
    }
}
