using System.Runtime.InteropServices;
using CryptoPlane.Aead;
using CryptoPlane.Buffers;
using CryptoPlane.Esp;
using CryptoPlane.Tls;
using CryptoPlane.Tls.Dtls;
using CryptoPlane.Tls.Record;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.DataPlane.Counters;
using VpnBroker.DataPlane.Cstp;
using VpnBroker.DataPlane.Dtls;
using VpnBroker.DataPlane.Tunnels;

namespace VpnBroker.DataPlane.Pipeline;

/// <summary>The records of one tunnel in a burst: side by side in the transmit area.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SealedBytes
{
    public int Tunnel;
    public int Offset;
    public int Length;

    /// <summary>The tunnel's operations in the burst.</summary>
    public int FirstOperation;
    public int OperationCount;
}

/// <summary>
/// The fourth stage: seals what waits in the queues of users and ESP tunnels in one AEAD burst, the records of each connection side by
/// side, so that one send takes them all.
/// </summary>
/// <remarks>
/// Nothing is sealed that could not be kept: a packet is dropped before it gets a sequence number once its connection's unsent bytes
/// have reached their bound, or when the lcore's memory for them would not suffice.
/// </remarks>
internal sealed unsafe class SealStage : IDisposable
{
    /// <summary>Of the free memory for unsent bytes, one connection may have this part at most, so that slow readers leave some to others.</summary>
    private const int ShareOfFreeMemory = 16;

    private const int EspCapacity = 512;

    /// <summary>In front of a datagram's payload: what it is.</summary>
    private const int FrameTypeSize = 1;

    /// <summary>In the user data of operations of DTLS, which lie between those of the tunnel's connection: nothing of that depends on them.</summary>
    private const uint DatagramMark = 1;

    private readonly LcoreContext _context;
    private readonly TunnelTable _tunnels;
    private readonly EspPairs _pairs;
    private readonly OutputQueues _output;
    private readonly TransmitStage _transmit;
    private readonly InnerCapture _capture;
    private readonly EspEncapsulator _encapsulator = new(EspCapacity);
    private readonly int _areaSize;
    private byte* _area;
    private SealedBytes* _segments;
    private PacketBuffer** _sources;
    private OutboundSa** _sas;
    private int* _lengths;
    private EspStatus* _statuses;
    private int _segmentCount;
    private int _sourceCount;
    private PacketBuffer** _datagrams;
    private AeadOperation** _datagramOperations;
    private int _datagramCount;
    private int _used;
    private int _chunksPromised;

    public SealStage(LcoreContext context, TunnelTable tunnels, EspPairs pairs, OutputQueues output, TransmitStage transmit)
    {
        _context = context;
        _tunnels = tunnels;
        _pairs = pairs;
        _output = output;
        _transmit = transmit;
        _capture = new InnerCapture(context.Tap, tunnels);
        _areaSize = LcoreContext.BurstSize * (context.Packets.BufferSize + TlsRecordSizes.Overhead);
        _area = context.Memory.Allocate((nuint)_areaSize, 4096);
        _segments = (SealedBytes*)NativeMemory.Alloc(LcoreContext.BurstSize, (nuint)sizeof(SealedBytes));
        _sources = (PacketBuffer**)NativeMemory.Alloc(LcoreContext.BurstSize, (nuint)sizeof(PacketBuffer*));
        _datagrams = (PacketBuffer**)NativeMemory.Alloc(LcoreContext.BurstSize, (nuint)sizeof(PacketBuffer*));
        _datagramOperations = (AeadOperation**)NativeMemory.Alloc(LcoreContext.BurstSize, (nuint)sizeof(AeadOperation*));
        _sas = (OutboundSa**)NativeMemory.Alloc(EspCapacity, (nuint)sizeof(OutboundSa*));
        _lengths = (int*)NativeMemory.Alloc(EspCapacity, sizeof(int));
        _statuses = (EspStatus*)NativeMemory.Alloc(EspCapacity, sizeof(EspStatus));
    }

    /// <summary>ESP packets that were not sealed, by reason; any thread may read.</summary>
    public ref readonly EspCounters EspDrops => ref _encapsulator.Drops;

    /// <summary>Seals and sends everything that waits.</summary>
    public void Run()
    {
        if (_context.Tap.IsOn)
            _capture.ToSeal(_output);
        int espDone = 0;
        while (espDone < _output.EspCount || _tunnels.HasActive)
        {
            _context.Burst.Clear();
            _segmentCount = _sourceCount = _datagramCount = _used = _chunksPromised = 0;
            espDone = AddEsp(espDone);
            while (_tunnels.HasActive && TryAddTunnel(_tunnels.PeekActive()))
                _tunnels.PopActive();
            _context.Stages?.Charge(Stage.Frame);

            _context.Burst.Run(_context.Engine);
            _context.Stages?.Charge(Stage.Seal);
            _context.Counters->Bursts++;
            _context.Counters->Operations += (uint)_context.Burst.Count;
            CompleteEsp();
            CompleteDatagrams();
            CompleteTunnels();
            _context.Stages?.Charge(Stage.Transmit);
        }
        _output.ClearEsp();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _encapsulator.Dispose();
        if (_area != null)
            _context.Memory.Free(_area, (nuint)_areaSize);
        NativeMemory.Free(_segments);
        NativeMemory.Free(_sources);
        NativeMemory.Free(_datagrams);
        NativeMemory.Free(_datagramOperations);
        NativeMemory.Free(_sas);
        NativeMemory.Free(_lengths);
        NativeMemory.Free(_statuses);
        _area = null;
        _segments = null;
        _sources = null;
        _datagrams = null;
        _datagramOperations = null;
        _sas = null;
        _lengths = null;
        _statuses = null;
    }

    /// <summary>Adds ESP packets from number <paramref name="done"/> on, as many as the burst takes.</summary>
    /// <returns>How many are done now.</returns>
    private int AddEsp(int done)
    {
        PacketBuffer** packets = _output.Esp + done;
        int count = Math.Min(_output.EspCount - done, EspCapacity);
        for (int i = 0; i < count; i++)
        {
            _sas[i] = _pairs[PacketMeta.Of(packets[i])->Tunnel]->Outbound;
            _lengths[i] = packets[i]->Length;
        }
        int dealtWith = _encapsulator.AddBurst(_context.Burst, _sas, packets, count, _statuses);
        for (int i = 0; i < dealtWith; i++)
        {
            if (_statuses[i] != EspStatus.Added)
            {
                _context.DropRouted(packets[i], DropReason.EspRefused);
                continue;
            }
            _context.Counters->Esp.Sent(_lengths[i]);
        }
        return done + dealtWith;
    }

    private void CompleteEsp()
    {
        if (_encapsulator.Count == 0)
            return;
        _encapsulator.Complete(_context.Burst);
        for (int i = 0; i < _encapsulator.Count; i++)
        {
            ref readonly EspEncapsulated result = ref _encapsulator[i];
            if (result.Reason == EspDropReason.None)
                _transmit.AddEsp(result.Packet, (int)result.Sa->UserData);
            else
                _context.DropRouted(result.Packet, DropReason.EspRefused);
        }
        _encapsulator.Clear();
        _transmit.FlushEsp();
    }

    /// <summary>Adds what a tunnel has.</summary>
    /// <returns>False when the burst has no more room: the tunnel has something left.</returns>
    private bool TryAddTunnel(int slot)
    {
        UserTunnel* tunnel = _tunnels[slot];
        if (tunnel->State is not (TunnelState.Open or TunnelState.Closing))
            return true;
        if (_segmentCount == LcoreContext.BurstSize)
            return false;
        var segment = new SealedBytes { Tunnel = slot, Offset = _used, FirstOperation = _context.Burst.Count };
        int bound = Math.Min(tunnel->UnsentBound, (_context.UnsentMemory.Available - _chunksPromised) * (Chunk.Capacity / ShareOfFreeMemory));
        bool done = TryAddKeyUpdate(tunnel, ref segment) && TryAddFrames(slot, tunnel, ref segment, bound) && TryAddFarewell(tunnel, ref segment);
        segment.Length = _used - segment.Offset;
        segment.OperationCount = _context.Burst.Count - segment.FirstOperation;
        if (segment.OperationCount > 0)
        {
            _chunksPromised += tunnel->Unsent.ChunksFor(segment.Length);
            _segments[_segmentCount++] = segment;
        }
        return done;
    }

    private bool TryAddFrames(int slot, UserTunnel* tunnel, ref SealedBytes segment, int bound)
    {
        while (tunnel->OutHead != null)
        {
            PacketBuffer* packet = tunnel->OutHead;
            CstpType type = PacketMeta.Of(packet)->Type;
            if (IsForDtls(tunnel, packet))
            {
                if (!TryAddDatagram(slot, tunnel, packet, type))
                    return false;
                continue;
            }
            int payload = packet->Length;
            int frame = payload + CstpFrame.HeaderSize;
            int record = frame + TlsRecordSizes.Overhead;
            if (_sourceCount == LcoreContext.BurstSize || _used + record > _areaSize)
                return false;
            int pending = _used - segment.Offset + record;
            DropReason refusal = DropReason.None;
            if (tunnel->Unsent.Length + pending > bound && type != CstpType.Disconnect)
                refusal = DropReason.SlowReader;
            else if (_chunksPromised + tunnel->Unsent.ChunksFor(pending) > _context.UnsentMemory.Available)
                refusal = DropReason.BacklogExhausted;
            else if (packet->Tailroom < TlsRecordSizes.InnerType || packet->Headroom < CstpFrame.HeaderSize)
                refusal = DropReason.Oversize;
            if (refusal != DropReason.None)
            {
                Dequeue(tunnel);
                _tunnels.DropRouted(slot, packet, refusal);
                continue;
            }

            // Sound: the room was checked above; a frame of a buffer is far below the largest record.
            CstpFrame.WriteHeader(packet->Data - CstpFrame.HeaderSize, type, payload);
            TlsRecordStatus status = TlsRecordWriter.TryAdd(
                _context.Burst, tunnel->Traffic + 1, TlsContentType.ApplicationData,
                packet->Data - CstpFrame.HeaderSize, frame, _area + _used, _areaSize - _used, out int length);
            switch (status)
            {
                case TlsRecordStatus.Added:
                    break;
                case TlsRecordStatus.BurstFull:
                    return false;
                case TlsRecordStatus.KeyUpdateNeeded:
                    tunnel->Flags |= TunnelFlags.KeyUpdateOwed;
                    if (!TryAddKeyUpdate(tunnel, ref segment))
                        return false;
                    continue;
                default:
                    // The keys are used up, or the direction is closed: there is nothing more to be said on this connection.
                    Dequeue(tunnel);
                    _tunnels.DropRouted(slot, packet, DropReason.SealRefused);
                    continue;
            }
            Dequeue(tunnel);
            _used += length;
            _sources[_sourceCount++] = packet;
            if (type == CstpType.Data)
            {
                tunnel->Counters.Sent(payload);
                tunnel->LastPacket = _context.NowMilliseconds;
                _context.Counters->Users.Sent(payload);
            }
        }
        return true;
    }

    /// <summary>Whether a frame goes by DTLS now. One that was made for it and finds it gone goes nowhere else.</summary>
    private static bool IsForDtls(UserTunnel* tunnel, PacketBuffer* packet) =>
        PacketMeta.Of(packet)->Channel == FrameChannel.Dtls
        || ((tunnel->Flags & TunnelFlags.Dtls) != 0 && PacketMeta.Of(packet)->Type == CstpType.Data);

    /// <summary>Adds a frame as a datagram, sealed where it lies.</summary>
    /// <returns>False when the burst must run first.</returns>
    private bool TryAddDatagram(int slot, UserTunnel* tunnel, PacketBuffer* packet, CstpType type)
    {
        if (_datagramCount == LcoreContext.BurstSize)
            return false;
        int payload = packet->Length;
        DtlsTrafficState* state = tunnel->Dtls + 1;
        if (!TunnelTable.HasDtls(tunnel))
        {
            Dequeue(tunnel);
            _tunnels.DropRouted(slot, packet, DropReason.TunnelEnding);
            return true;
        }
        int front = state->ContentOffset + FrameTypeSize;
        if (packet->Headroom < front || packet->Tailroom < AeadSizes.Tag)
        {
            Dequeue(tunnel);
            _tunnels.DropRouted(slot, packet, DropReason.Oversize);
            return true;
        }
        // Sound: head- and tailroom were checked just above.
        byte* content = packet->Data - FrameTypeSize;
        content[0] = (byte)type;
        int first = _context.Burst.Count;
        TlsRecordStatus status = DtlsRecordWriter.TryAdd(
            _context.Burst, state, TlsContentType.ApplicationData, content, payload + FrameTypeSize, packet->Data - front, front + payload + packet->Tailroom, out int length);
        switch (status)
        {
            case TlsRecordStatus.Added:
                break;
            case TlsRecordStatus.BurstFull:
                return false;
            default:
                // The keys are used up: data goes by TLS from here on.
                _tunnels.SuspendDtls(slot);
                if (PacketMeta.Of(packet)->Channel != FrameChannel.Dtls)
                    return true;
                Dequeue(tunnel);
                _tunnels.DropRouted(slot, packet, DropReason.SealRefused);
                return true;
        }
        Dequeue(tunnel);
        packet->TryPrepend(front);
        packet->TrySetLength(length);
        PacketMeta.Of(packet)->Tunnel = slot;
        _context.Burst[first]->UserData = DatagramMark;
        _datagramOperations[_datagramCount] = _context.Burst[first];
        _datagrams[_datagramCount++] = packet;
        tunnel->DtlsSent = _context.NowMilliseconds;
        if (type == CstpType.Data)
        {
            tunnel->Counters.Sent(payload);
            tunnel->LastPacket = _context.NowMilliseconds;
            _context.Counters->Users.Sent(payload);
        }
        return true;
    }

    private void CompleteDatagrams()
    {
        for (int i = 0; i < _datagramCount; i++)
        {
            if (_datagramOperations[i]->Status == AeadStatus.Success)
                _transmit.AddDatagram(_datagrams[i]);
            else
                _context.DropRouted(_datagrams[i], DropReason.SealRefused);
        }
        _transmit.FlushDatagrams();
    }

    private static void Dequeue(UserTunnel* tunnel)
    {
        tunnel->OutHead = PacketMeta.Of(tunnel->OutHead)->Next;
        if (tunnel->OutHead == null)
            tunnel->OutTail = null;
    }

    /// <returns>False when the burst must run first.</returns>
    private bool TryAddKeyUpdate(UserTunnel* tunnel, ref SealedBytes segment)
    {
        if ((tunnel->Flags & TunnelFlags.KeyUpdateOwed) == 0)
            return true;
        TlsRecordStatus status = TlsRecordWriter.PrepareKeyUpdate(
            _context.Burst, tunnel->Traffic + 1, (tunnel->Flags & TunnelFlags.KeyUpdateAsks) != 0, _area + _used, _areaSize - _used, out int length);
        switch (status)
        {
            case TlsRecordStatus.Added:
                _used += length;
                tunnel->Flags |= TunnelFlags.KeyUpdateInBurst;
                _context.Counters->KeyUpdates++;
                break;
            case TlsRecordStatus.BurstFull or TlsRecordStatus.DestinationTooSmall or TlsRecordStatus.KeyUpdateInProgress:
                return false;
        }
        tunnel->Flags &= ~(TunnelFlags.KeyUpdateOwed | TunnelFlags.KeyUpdateAsks);
        return true;
    }

    /// <returns>False when the burst must run first.</returns>
    private bool TryAddFarewell(UserTunnel* tunnel, ref SealedBytes segment)
    {
        if (tunnel->State != TunnelState.Closing)
            return true;
        TlsAlert alert = tunnel->Farewell == Farewell.Alert ? tunnel->Alert : TlsAlert.CloseNotify;
        TlsRecordStatus status = TlsRecordWriter.TryAddAlert(_context.Burst, tunnel->Traffic + 1, alert, _area + _used, _areaSize - _used, out int length);
        if (status is TlsRecordStatus.BurstFull or TlsRecordStatus.DestinationTooSmall)
            return false;
        _used += length;
        tunnel->State = TunnelState.Draining;
        return true;
    }

    private void CompleteTunnels()
    {
        for (int i = 0; i < _segmentCount; i++)
        {
            ref SealedBytes segment = ref _segments[i];
            UserTunnel* tunnel = _tunnels[segment.Tunnel];
            if ((tunnel->Flags & TunnelFlags.KeyUpdateInBurst) != 0)
            {
                TlsRecordWriter.CompleteKeyUpdate(tunnel->Traffic + 1, _context.Engine);
                tunnel->Flags &= ~TunnelFlags.KeyUpdateInBurst;
            }
            if (segment.Length == 0)
                continue;
            if (IsSealed(segment))
                _transmit.Send(segment.Tunnel, _area + segment.Offset, segment.Length);
            else
                // A record with a hole behind it could never be read.
                _tunnels.Close(segment.Tunnel, TunnelEndReason.ConnectionLost);
        }
        for (int i = 0; i < _sourceCount; i++)
            _context.Return(_sources[i]);
    }

    private bool IsSealed(in SealedBytes segment)
    {
        for (int i = 0; i < segment.OperationCount; i++)
        {
            AeadOperation* operation = _context.Burst[segment.FirstOperation + i];
            if (operation->UserData != DatagramMark && operation->Status != AeadStatus.Success)
                return false;
        }
        return true;
    }
}
