using System.Runtime.InteropServices;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Ports;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>
/// The second stage: cuts what connections received into records and opens them, together with the ESP packets, in one AEAD burst.
/// </summary>
internal sealed unsafe class OpenStage : IDisposable
{
    private const int EspCapacity = 256, DtlsCapacity = 256;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly FrameStage _frames;
    private readonly RouteStage _route;
    private readonly InnerCapture _capture;
    private readonly TlsRecordReader _reader = new(LcoreContext.BurstSize);
    private readonly EspDecapsulator _decapsulator = new(EspCapacity);
    private readonly DtlsRecordReader _dtlsReader = new(DtlsCapacity);
    private PacketBuffer** _dtls;
    private int _dtlsCount;
    private PacketBuffer** _esp;
    private EspIngress* _ingresses;
    private EspStatus* _statuses;
    private int _espCount;

    public OpenStage(LcoreContext context, TunnelTable tunnels, FrameStage frames, RouteStage route)
    {
        _context = context;
        _tunnels = tunnels;
        _frames = frames;
        _route = route;
        _capture = new InnerCapture(context.Tap, tunnels);
        _esp = (PacketBuffer**)NativeMemory.Alloc(EspCapacity, (nuint)sizeof(PacketBuffer*));
        _dtls = (PacketBuffer**)NativeMemory.Alloc(DtlsCapacity, (nuint)sizeof(PacketBuffer*));
        _ingresses = (EspIngress*)NativeMemory.Alloc(EspCapacity, sizeof(EspIngress));
        _statuses = (EspStatus*)NativeMemory.Alloc(EspCapacity, sizeof(EspStatus));
    }

    /// <summary>ESP packets dropped on this lcore, by reason; any thread may read.</summary>
    public ref readonly EspCounters EspDrops => ref _decapsulator.Drops;

    /// <summary>ESP packets that can still be added in this turn.</summary>
    public int EspRoom => EspCapacity - _espCount;

    /// <summary>Adds a received ESP packet of this lcore, whose meta says what it begins with.</summary>
    // Sound: callers take no more packets than there is room for.
    public void Add(PacketBuffer* packet)
    {
        _ingresses[_espCount] = PacketMeta.Of(packet)->Ingress;
        _esp[_espCount++] = packet;
    }

    /// <summary>Datagrams of users that can still be added in this turn.</summary>
    public int DtlsRoom => DtlsCapacity - _dtlsCount;

    /// <summary>Adds a user's datagram; each record of it becomes a packet of its own.</summary>
    /// <param name="packet">The datagram; this stage's from now on.</param>
    /// <param name="slot">The tunnel, which has keys for DTLS.</param>
    // Sound: callers take no more packets than there is room for, and further records of a datagram find room or are dropped.
    public void AddDtls(PacketBuffer* packet, int slot)
    {
        while (true)
        {
            if (_dtlsCount == DtlsCapacity || !DtlsRecordHeader.TryParse(packet->Span, out DtlsRecordHeader header))
            {
                _tunnels.Drop(slot, packet, _dtlsCount == DtlsCapacity ? DropReason.BuffersExhausted : DropReason.DtlsMalformed);
                return;
            }
            PacketMeta.Of(packet)->Tunnel = slot;
            _dtls[_dtlsCount++] = packet;
            int rest = packet->Length - header.RecordLength;
            if (rest == 0)
                return;
            if (!_context.Packets.TryRent(out PacketBuffer* next) || !next->TrySetLength(rest))
            {
                // What is cut off behind it is counted; a buffer of the pool holds what another one of it did.
                _context.Counters->Drop(DropReason.BuffersExhausted);
                packet->TrySetLength(header.RecordLength);
                return;
            }
            packet->Span[header.RecordLength..].CopyTo(next->Span);
            *(PacketEndpoint*)next->Scratch = *(PacketEndpoint*)packet->Scratch;
            packet->TrySetLength(header.RecordLength);
            packet = next;
        }
    }

    /// <summary>Opens a burst of what there is and routes what came out.</summary>
    /// <param name="connections">What connections received; cut off at the front as far as it was opened.</param>
    /// <param name="count">How many connections.</param>
    /// <returns>Whether there are whole records left for another burst.</returns>
    public bool Run(ReceivedBytes* connections, int count)
    {
        _context.Burst.Clear();
        AddEsp();
        AddDatagrams();
        bool more = AddRecords(connections, count);
        _context.Stages?.Charge(Stage.FindSa);
        // Packets of a cipher that is no AEAD are opened without an operation of the burst.
        if (_context.Burst.Count == 0 && _decapsulator.Count == 0 && _dtlsReader.Count == 0 && _reader.Count == 0)
            return more;

        int first = 0;
        _context.Burst.Run(_context.Engine);
        for (first = _context.Burst.Count; _reader.Complete(_context.Burst, _context.Engine); first = _context.Burst.Count)
            _context.Burst.Run(_context.Engine, first);
        _context.Stages?.Charge(Stage.Open);
        _context.Counters->Bursts++;
        _context.Counters->Operations += (uint)_context.Burst.Count;

        CompleteEsp();
        CompleteDatagrams();
        if (_context.Tap.IsOn)
            _capture.Opened(_reader);
        for (int i = 0; i < _reader.Count; i++)
            Deliver(in _reader[i]);
        _reader.Clear();
        _route.Flush();
        _context.Stages?.Charge(Stage.Route);
        return more;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _reader.Dispose();
        _decapsulator.Dispose();
        _dtlsReader.Dispose();
        NativeMemory.Free(_dtls);
        NativeMemory.Free(_esp);
        NativeMemory.Free(_ingresses);
        NativeMemory.Free(_statuses);
        _dtls = null;
        _esp = null;
        _ingresses = null;
        _statuses = null;
    }

    private void AddEsp()
    {
        // All are dealt with: the burst is empty, and holds more operations than the decapsulator, and that as many packets as there are.
        _decapsulator.AddBurst(_context.Burst, _context.Sad, _esp, _ingresses, _espCount, _statuses);
        for (int i = 0; i < _espCount; i++)
        {
            if (_statuses[i] != EspStatus.Added)
                _context.Return(_esp[i]);
        }
        _espCount = 0;
    }

    private void CompleteEsp()
    {
        if (_decapsulator.Count == 0)
            return;
        _decapsulator.Complete(_context.Burst);
        if (_context.Tap.IsOn)
            _capture.Opened(_decapsulator);
        for (int i = 0; i < _decapsulator.Count; i++)
        {
            ref readonly EspDecapsulated result = ref _decapsulator[i];
            if (result.Reason == EspDropReason.None)
                _route.FromEsp(result.Packet, (int)result.Sa->UserData);
            else
                _context.Return(result.Packet);
        }
        _decapsulator.Clear();
    }

    private void AddDatagrams()
    {
        for (int i = 0; i < _dtlsCount; i++)
        {
            PacketBuffer* packet = _dtls[i];
            // There is room: the burst has no more than the ESP packets, and holds more operations than both.
            if (!_dtlsReader.TryAdd(_context.Burst, _tunnels[PacketMeta.Of(packet)->Tunnel]->Dtls, packet->Data, packet->Length, (ulong)packet))
                _context.Drop(packet, DropReason.BuffersExhausted);
        }
        _dtlsCount = 0;
    }

    private void CompleteDatagrams()
    {
        if (_dtlsReader.Count == 0)
            return;
        _dtlsReader.Complete(_context.Burst);
        if (_context.Tap.IsOn)
            _capture.Opened(_dtlsReader);
        for (int i = 0; i < _dtlsReader.Count; i++)
            DeliverDatagram(in _dtlsReader[i]);
        _dtlsReader.Clear();
    }

    private void DeliverDatagram(in DtlsOpenedRecord record)
    {
        var packet = (PacketBuffer*)record.UserData;
        int slot = PacketMeta.Of(packet)->Tunnel;
        UserTunnel* tunnel = _tunnels[slot];
        if (record.IsDropped || tunnel->State != TunnelState.Open || !TunnelTable.HasDtls(tunnel))
        {
            _tunnels.Drop(slot, packet, record.IsDropped ? TunnelTable.ReasonOf(record.Status) : DropReason.TunnelEnding);
            return;
        }
        if (record.Status is DtlsOpenStatus.CloseNotify or DtlsOpenStatus.PeerAlert)
        {
            _context.Return(packet);
            _tunnels.ReleaseDtls(slot);
            return;
        }
        // Only what was opened just now, and newer than all before, says where the client is.
        var peer = (PacketEndpoint*)packet->Scratch;
        if (*peer != tunnel->DtlsPeer && tunnel->Dtls->IsNewest(record.Sequence))
            _tunnels.MoveDtls(slot, *peer);
        _tunnels.NoteDtls(slot);
        int front = (int)(record.Data - packet->Data);
        if (record.Status == DtlsOpenStatus.Opened && record.Length > 0 && packet->TryTrimFront(front) && packet->TrySetLength(record.Length))
            _frames.ProcessDatagram(slot, packet);
        else
            // Empty, a warning, or a Finished that was sent again: the control threads have answered that.
            _context.Return(packet);
    }

    private bool AddRecords(ReceivedBytes* connections, int count)
    {
        for (int i = 0; i < count; i++)
        {
            ReceivedBytes* connection = connections + i;
            UserTunnel* tunnel = _tunnels[connection->Tunnel];
            while (connection->Next < connection->End)
            {
                if (tunnel->State != TunnelState.Open)
                {
                    connection->Next = connection->End;
                    break;
                }
                var rest = new ReadOnlySpan<byte>(connection->Next, (int)(connection->End - connection->Next));
                TlsRecordHeaderStatus status = TlsRecordHeader.TryParse(rest, isProtected: true, out TlsRecordHeader header);
                if (status == TlsRecordHeaderStatus.NeedMoreData)
                    break;
                if (status != TlsRecordHeaderStatus.Complete)
                {
                    // The records before it are still in the burst: it ends the connection when they have been delivered.
                    if (HasRecords(connection->Tunnel))
                        return true;
                    Reject(connection->Tunnel, status);
                    continue;
                }
                if (!TryAdd(connection->Tunnel, connection->Next, header.RecordLength))
                    return true;
                connection->Next += header.RecordLength;
            }
        }
        return false;
    }

    private bool TryAdd(int slot, byte* record, int length)
    {
        // Packets of the tunnel's MTU go where they can be forwarded from; longer records are opened elsewhere and mostly are padding.
        int content = Math.Max(length - TlsRecordSizes.Header - CryptoPlane.Aead.AeadSizes.Tag, 1);
        bool small = content <= _context.Packets.BufferSize - LcoreContext.Headroom;
        PacketBuffer* packet;
        if (!(small ? _context.Packets.TryRent(out packet) : _context.LargePackets.TryRent(out packet)))
        {
            // With buffers in this burst they come back soon; else they are lost to somebody, and waiting would not end.
            if (_reader.Count != 0 || _dtlsReader.Count != 0)
                return false;
            _context.Counters->Drop(DropReason.BuffersExhausted);
            _tunnels.End(slot, TunnelEndReason.ConnectionLost, Farewell.None);
            return true;
        }
        PacketMeta.Of(packet)->Tunnel = slot;
        if (_reader.TryAdd(_context.Burst, _tunnels[slot]->Traffic, record, length, packet->Data, (ulong)packet))
            return true;
        _context.Return(packet);
        return false;
    }

    private bool HasRecords(int slot)
    {
        for (int i = 0; i < _reader.Count; i++)
        {
            if (PacketMeta.Of((PacketBuffer*)_reader[i].UserData)->Tunnel == slot)
                return true;
        }
        return false;
    }

    private void Reject(int slot, TlsRecordHeaderStatus status)
    {
        _context.Counters->Drop(DropReason.RecordRejected);
        _tunnels.End(slot, TunnelEndReason.ProtocolError, Farewell.Alert, status switch
        {
            TlsRecordHeaderStatus.RecordOverflow => TlsAlert.RecordOverflow,
            TlsRecordHeaderStatus.DecodeError => TlsAlert.DecodeError,
            _ => TlsAlert.UnexpectedMessage,
        });
    }

    private void Deliver(in TlsOpenedRecord record)
    {
        var packet = (PacketBuffer*)record.UserData;
        int slot = PacketMeta.Of(packet)->Tunnel;
        UserTunnel* tunnel = _tunnels[slot];
        if (tunnel->State != TunnelState.Open)
        {
            _context.Return(packet);
            return;
        }
        switch (record.Status)
        {
            case TlsOpenStatus.Opened when record.Length > 0 && packet->TrySetLength(record.Length):
                _frames.Process(slot, packet);
                return;
            case TlsOpenStatus.Opened:
                // An empty record: allowed, and means nothing (RFC 8446 §5.1).
                break;
            case TlsOpenStatus.Handled:
                if (tunnel->Traffic[0].TakeKeyUpdateRequest())
                {
                    tunnel->Flags |= TunnelFlags.KeyUpdateOwed;
                    _tunnels.Activate(slot);
                }
                break;
            case TlsOpenStatus.CloseNotify:
                _tunnels.End(slot, TunnelEndReason.ConnectionLost, Farewell.CloseNotify);
                break;
            case TlsOpenStatus.PeerAlert or TlsOpenStatus.Ended:
                _tunnels.End(slot, TunnelEndReason.ConnectionLost, Farewell.None);
                break;
            default:
                _context.Counters->Drop(DropReason.RecordRejected);
                _tunnels.End(slot, TunnelEndReason.ProtocolError, Farewell.Alert, record.Alert);
                break;
        }
        _context.Return(packet);
    }
}
