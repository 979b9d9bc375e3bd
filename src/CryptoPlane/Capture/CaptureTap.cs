using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;
using CryptoPlane.Lcores;
using CryptoPlane.Ports;

namespace CryptoPlane.Capture;

/// <summary>
/// Where an lcore's packets can be captured: one for each lcore, asked at every point that packets pass. Off, it costs the test of
/// <see cref="IsOn"/>; on, it copies what the filter takes into a <see cref="CaptureRing"/>, or counts it as missed.
/// </summary>
/// <remarks>Belongs to its lcore; nothing here allocates, waits, or touches the packets.</remarks>
public sealed unsafe class CaptureTap
{
    /// <summary>Points are numbered below this.</summary>
    public const int MaxPoints = CaptureState.MaxPoints;

    private CaptureState* _state;

    /// <summary>Bursts whose port has not said yet how many it took: a port of frames works inside the call of the port of its packets.</summary>
    private int _open;

    /// <summary>What was written, and not all published yet.</summary>
    private long _tail;

    /// <summary>Whether a capture runs.</summary>
    public bool IsOn
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _state != null;
    }

    /// <summary>Begins or ends a capture, between bursts.</summary>
    /// <param name="ring"><see cref="CaptureRing.Address"/>, or 0 to end.</param>
    /// <returns>The address of before, which the tap does not use any more.</returns>
    public nint Attach(nint ring)
    {
        nint before = (nint)_state;
        _state = (CaptureState*)ring;
        _tail = _state == null ? 0 : _state->Tail;
        _open = 0;
        return before;
    }

    /// <summary>Whether a capture runs that takes packets of a point.</summary>
    /// <param name="point">Below <see cref="MaxPoints"/>.</param>
    // Sound: the table has MaxPoints entries, and points are numbered by whoever made the tap.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Takes(int point) => _state != null && _state->Enabled[point] != 0;

    /// <summary>Captures a burst that a port has received.</summary>
    /// <param name="port">The port's point and framing.</param>
    /// <param name="burst">The packets.</param>
    /// <param name="count">How many.</param>
    public void Received(in CapturePort port, PacketBuffer** burst, int count)
    {
        if (Takes(port.Point))
        {
            Append(in port, CaptureDirection.In, port.ReceiveFraming, burst, count);
            End();
        }
    }

    /// <summary>Captures a burst that a port is about to send, and whose buffers are its own from then on.</summary>
    /// <returns>What <see cref="Sent"/> is to be told; negative when nothing is captured.</returns>
    public long Sending(in CapturePort port, PacketBuffer** burst, int count) =>
        Takes(port.Point) ? Append(in port, CaptureDirection.Out, port.TransmitFraming, burst, count) : -1;

    /// <summary>Says how many of a burst the port took: the others are marked.</summary>
    /// <param name="mark">From <see cref="Sending"/>.</param>
    /// <param name="port">The port.</param>
    /// <param name="count">Packets of the burst.</param>
    /// <param name="taken">How many were taken, from the front.</param>
    public void Sent(long mark, in CapturePort port, int count, int taken)
    {
        if (mark < 0)
            return;
        if (taken < count)
            MarkRest(mark, port.Point, taken);
        End();
    }

    /// <summary>Captures one IP packet inside the pipeline.</summary>
    /// <param name="point">The point; below <see cref="MaxPoints"/>.</param>
    /// <param name="direction">Which way it goes.</param>
    /// <param name="data">Its first byte.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="timestamp"><see cref="MonotonicClock.Nanoseconds"/>, read once for a burst.</param>
    /// <param name="subject">As in <see cref="CaptureRecord.Subject"/>.</param>
    /// <param name="note">As in <see cref="CaptureRecord.Note"/>.</param>
    public void Packet(int point, CaptureDirection direction, byte* data, int length, long timestamp, ulong subject, ushort note)
    {
        if (!Takes(point))
            return;
        PacketEndpoint none = default;
        CapturePointCounters* counters = CaptureState.CountersOf(_state, point);
        counters->Seen++;
        if (Accepts(counters, data, length, CaptureFraming.Ip, in none, in none) && TryReserve(length, counters, out CaptureRecord* record))
        {
            Write(record, data, length, new CaptureRecord
            {
                Point = (ushort)point, Direction = direction, Framing = CaptureFraming.Ip, Timestamp = timestamp, Subject = subject, Note = note,
            });
        }
        Publish();
    }

    /// <summary>Captures a piece of a TCP connection's stream, in parts that fit into IP packets.</summary>
    /// <param name="point">The point; below <see cref="MaxPoints"/>.</param>
    /// <param name="direction">Which way it goes.</param>
    /// <param name="data">Its first byte.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="connection">The connection; its place in the stream goes on, also where a part is not captured.</param>
    public void Stream(int point, CaptureDirection direction, byte* data, int length, ref CaptureConnection connection)
    {
        const int longestPart = 32 * 1024;
        if (!Takes(point))
            return;
        long now = MonotonicClock.Nanoseconds;
        CapturePointCounters* counters = CaptureState.CountersOf(_state, point);
        ref uint place = ref direction == CaptureDirection.In ? ref connection.Received : ref connection.Sent;
        uint other = direction == CaptureDirection.In ? connection.Sent : connection.Received;
        for (int part; length > 0; data += part, length -= part, place += (uint)part)
        {
            part = Math.Min(length, longestPart);
            counters->Seen++;
            if (Accepts(counters, data, part, CaptureFraming.TcpPayload, in connection.Peer, in connection.Local)
                && TryReserve(part, counters, out CaptureRecord* record))
            {
                Write(record, data, part, new CaptureRecord
                {
                    Point = (ushort)point, Direction = direction, Framing = CaptureFraming.TcpPayload, Timestamp = now, Subject = connection.Subject,
                    Peer = connection.Peer, Local = connection.Local, Sequence = place, Acknowledgement = other,
                });
            }
        }
        Publish();
    }

    private long Append(in CapturePort port, CaptureDirection direction, CaptureFraming framing, PacketBuffer** burst, int count)
    {
        long mark = _tail;
        long now = MonotonicClock.Nanoseconds;
        bool hasPeer = framing is CaptureFraming.UdpPayload or CaptureFraming.Esp;
        PacketEndpoint none = default, local = port.Local;
        CapturePointCounters* counters = CaptureState.CountersOf(_state, port.Point);
        counters->Seen += count;
        _open++;
        for (int i = 0; i < count; i++)
        {
            PacketBuffer* packet = burst[i];
            // A datagram port keeps the peer at the beginning of the scratch (see PacketEndpoint).
            ref readonly PacketEndpoint peer = ref hasPeer ? ref *(PacketEndpoint*)packet->Scratch : ref none;
            if (!Accepts(counters, packet->Data, packet->Length, framing, in peer, in local)
                || !TryReserve(packet->Length, counters, out CaptureRecord* record))
                continue;
            Write(record, packet->Data, packet->Length, new CaptureRecord
            {
                Point = (ushort)port.Point, Direction = direction, Framing = framing, Timestamp = now, Peer = peer, BurstIndex = i,
            });
        }
        return mark;
    }

    private bool Accepts(
        CapturePointCounters* counters, byte* data, int length, CaptureFraming framing, in PacketEndpoint peer, in PacketEndpoint local)
    {
        CaptureState* state = _state;
        if (!state->Filter.Matches(data, length, framing, in peer, in local))
            return false;
        if (state->SampleCountdown > 0)
        {
            state->SampleCountdown--;
            return false;
        }
        state->SampleCountdown = state->SampleEvery - 1;
        counters->Accepted++;
        return true;
    }

    /// <summary>Finds room for a record in one piece.</summary>
    /// <returns>False, counted, when there is none.</returns>
    private bool TryReserve(int length, CapturePointCounters* counters, out CaptureRecord* record)
    {
        CaptureState* state = _state;
        long size = state->Mask + 1;
        int needed = (CaptureRecord.HeaderSize + Math.Min(length, state->SnapLength) + 7) & ~7;
        long offset = _tail & state->Mask;
        long toEnd = size - offset;
        // Records lie in one piece: what is left at the end of the memory is skipped where it is too short.
        long total = toEnd < needed ? toEnd + needed : needed;
        if (_tail + total - state->SeenHead > size)
        {
            state->SeenHead = Volatile.Read(ref state->Head);
            if (_tail + total - state->SeenHead > size)
            {
                counters->Missed++;
                record = null;
                return false;
            }
        }
        if (toEnd < needed)
        {
            // Sound: records are multiples of 8, so that the rest has room for a size, if not for a header.
            ((CaptureRecord*)(state->Data + offset))->Size = -(int)toEnd;
            _tail += toEnd;
            offset = 0;
        }
        // Sound: [offset, offset + needed) is inside the memory, and the consumer has released it.
        record = (CaptureRecord*)(state->Data + offset);
        record->Size = needed;
        _tail += needed;
        return true;
    }

    private void Write(CaptureRecord* record, byte* data, int length, in CaptureRecord header)
    {
        int size = record->Size;
        int captured = Math.Min(length, _state->SnapLength);
        *record = header;
        record->Size = size;
        record->CapturedLength = captured;
        record->OriginalLength = length;
        // Sound: TryReserve made room for the header and this many bytes.
        Buffer.MemoryCopy(data, (byte*)record + CaptureRecord.HeaderSize, captured, captured);
    }

    private void MarkRest(long mark, int point, int taken)
    {
        for (long at = mark; at < _tail;)
        {
            // Sound: records follow one another from the mark, none published yet, since the burst is still open.
            var record = (CaptureRecord*)(_state->Data + (at & _state->Mask));
            int size = record->Size;
            if (size > 0 && record->Point == point && record->BurstIndex >= taken)
                record->Flags |= CaptureRecord.FlagNotTaken;
            at += Math.Abs(size);
        }
    }

    private void End()
    {
        _open--;
        Publish();
    }

    private void Publish()
    {
        if (_open == 0)
            Volatile.Write(ref _state->Tail, _tail);
    }
}
