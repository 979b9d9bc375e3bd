using System.Numerics;
using System.Runtime.CompilerServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Traffic;

// What may leave: whose turn it is, of the tunnels and then of the tunnel's classes.
public sealed unsafe partial class TrafficScheduler
{
    /// <summary>When <see cref="Dequeue"/> will give something, as of its last call: in the past for now, <see cref="long.MaxValue"/> for never.</summary>
    public long NextDeadline
    {
        get
        {
            long next = _new.Head >= 0 || _old.Head >= 0 ? 0 : _waiting.FirstTime;
            return _packets == 0 || next == long.MaxValue ? long.MaxValue : Math.Max(next, _port.IsLimited ? _port.ReadyAt : 0);
        }
    }

    /// <summary>Takes the packets that may leave now, in the order in which they are to be sent.</summary>
    /// <param name="packets">Receives them; the caller's from now on.</param>
    /// <param name="capacity">How many.</param>
    /// <param name="now">The clock, in nanoseconds.</param>
    /// <returns>How many there were; less than <paramref name="capacity"/> when no more may leave now.</returns>
    // Sound: fewer than capacity are written; tunnels come from lists that hold none but checked numbers.
    public int Dequeue(PacketBuffer** packets, int capacity, long now)
    {
        while (_waiting.FirstTime <= now)
            StopWaiting(_waiting.First);
        bool isPortLimited = _port.IsLimited;
        int count = 0;
        while (count < capacity && (!isPortLimited || _port.IsReady(now)))
        {
            bool isNew = _new.Head >= 0;
            int tunnel = isNew ? _new.Head : _old.Head;
            if (tunnel < 0)
                break;
            TunnelNode* node = _nodes + tunnel;
            if (node->Active == 0 || node->IsHeld)
            {
                // RFC 8290 §4.2: who has sent its little waits for a round before it is new again, or it would always be first.
                Leave(isNew);
                if (isNew && !node->IsHeld)
                    _old.Push(_nodes, tunnel);
                continue;
            }
            if (node->Deficit <= 0)
            {
                node->Deficit += node->Quantum;
                Leave(isNew);
                _old.Push(_nodes, tunnel);
                continue;
            }
            if (node->Shaper.IsLimited && !node->Shaper.IsReady(now))
            {
                Leave(isNew);
                _waiting.Add(tunnel, node->Shaper.ReadyAt);
                continue;
            }
            int number = PickClass(tunnel, node->Active, now, out long readyAt);
            if (number < 0)
            {
                Leave(isNew);
                _waiting.Add(tunnel, readyAt);
                node->WaitsForClass = true;
                continue;
            }
            PacketBuffer* packet = TakeJudged(tunnel, number, now, out long delay);
            if (packet == null)
                continue;
            int length = packet->Length;
            int charged = length + _overhead;
            node->Deficit -= charged;
            QueueOf(tunnel, number)->Deficit -= charged;
            if (node->Shaper.IsLimited)
                node->Shaper.Charge(charged);
            if ((_shapedClasses & (1 << number)) != 0)
                _classShapers[((long)tunnel * _classes) + number].Charge(charged);
            if (isPortLimited)
                _port.Charge(charged);
            node->Counters.Sent(length, delay, now);
            _classCounters[number].Sent(length, delay, now);
            packets[count++] = packet;
        }
        return count;
    }

    private void Leave(bool isNew)
    {
        if (isNew)
            _new.Pop(_nodes);
        else
            _old.Pop(_nodes);
    }

    /// <summary>The class that sends: of those that may, the ones with the best priority, in turns.</summary>
    /// <param name="tunnel">The tunnel, some of whose classes have packets.</param>
    /// <param name="candidates">These classes.</param>
    /// <param name="now">The clock.</param>
    /// <param name="readyAt">With -1: when one will.</param>
    /// <returns>-1 when all of them wait for their shapers.</returns>
    private int PickClass(int tunnel, uint candidates, long now, out long readyAt)
    {
        readyAt = long.MaxValue;
        if ((candidates & _shapedClasses) != 0)
        {
            candidates = WithoutWaiting(tunnel, candidates, now, ref readyAt);
            if (candidates == 0)
                return -1;
        }
        // Sound: each class is in one of the levels, so that the loop ends.
        int level = 0;
        while ((candidates & _levelMasks[level]) == 0)
            level++;
        return TakeTurns(tunnel, candidates & _levelMasks[level]);
    }

    /// <summary>
    /// Deficit round robin among classes, by rounds: whoever has something left of this round sends; when nobody has, all get a new one. So it
    /// does not matter who interrupts whom, as better priorities do.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int TakeTurns(int tunnel, uint among)
    {
        // A round gives each at least a packet's worth: the first or, behind a long packet, one soon after finds somebody.
        while (true)
        {
            for (uint rest = among; rest != 0; rest &= rest - 1)
            {
                int number = BitOperations.TrailingZeroCount(rest);
                if (QueueOf(tunnel, number)->Deficit > 0)
                    return number;
            }
            for (uint rest = among; rest != 0; rest &= rest - 1)
            {
                int number = BitOperations.TrailingZeroCount(rest);
                QueueOf(tunnel, number)->Deficit += _settings[number].Quantum;
            }
        }
    }

    /// <summary>Takes the classes out that wait for their shapers.</summary>
    private uint WithoutWaiting(int tunnel, uint candidates, long now, ref long readyAt)
    {
        for (uint shaped = candidates & _shapedClasses; shaped != 0; shaped &= shaped - 1)
        {
            int number = BitOperations.TrailingZeroCount(shaped);
            TokenBucket* shaper = _classShapers + ((long)tunnel * _classes) + number;
            if (shaper->IsReady(now))
                continue;
            candidates &= ~(1u << number);
            readyAt = Math.Min(readyAt, shaper->ReadyAt);
        }
        return candidates;
    }

    /// <summary>Takes the next packet of a queue that CoDel lets go, perhaps marked.</summary>
    /// <returns>Null when all were dropped.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PacketBuffer* TakeJudged(int tunnel, int number, long now, out long delay)
    {
        ClassQueue* queue = QueueOf(tunnel, number);
        delay = 0;
        while (queue->Head != null)
        {
            PacketBuffer* packet = Take(tunnel, number);
            delay = Math.Max(0, now - QueuedPacket.Of(packet)->Time);
            if (!_coDel.IsOn || !queue->CoDel.Judge(_coDel, delay, queue->Bytes, now))
                return packet;
            // RFC 8289 §5.6: a mark says the same without a loss.
            if (EcnMark.TryMark(packet->Data, packet->Length))
            {
                _nodes[tunnel].Counters.MarkedPackets++;
                _classCounters[number].MarkedPackets++;
                return packet;
            }
            Drop(tunnel, number, packet, TrafficDropReason.Delay);
        }
        return null;
    }

    /// <summary>Takes the oldest packet of a queue that has one, and keeps the books.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private PacketBuffer* Take(int tunnel, int number)
    {
        TunnelNode* node = _nodes + tunnel;
        ClassQueue* queue = QueueOf(tunnel, number);
        PacketBuffer* packet = queue->Pop();
        int length = packet->Length;
        _bytes -= length;
        _packets--;
        node->Counters.Left(length);
        _classCounters[number].Left(length);
        _longest.Note(tunnel, node->Counters.WaitingBytes);
        if (queue->Head == null)
        {
            node->Active &= (ushort)~(1 << number);
            // Shreedhar and Varghese: an empty queue saves nothing for later; what it owes it still owes.
            queue->Deficit = Math.Min(queue->Deficit, 0);
        }
        return packet;
    }
}
