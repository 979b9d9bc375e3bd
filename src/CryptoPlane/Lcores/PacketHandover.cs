using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Lcores;

/// <summary>
/// Hands packets from one lcore to another: a ring of slots into which they are copied, since a buffer belongs to one lcore's pool.
/// One instance for each ordered pair of lcores that needs one.
/// </summary>
/// <remarks>
/// The sending lcore calls <see cref="TryPost"/> and <see cref="Flush"/>, the receiving one <see cref="Receive"/>. Meant for the few
/// packets that arrive away from home, which is why a copy is good enough; all are counted.
/// </remarks>
public sealed unsafe class PacketHandover : IDisposable
{
    /// <summary>Bytes of the longest packet that is handed over.</summary>
    public const int MaximumLength = 2048 - 8 - PacketBuffer.ScratchSize;

    private const int Posted = 0, Full = 1, TooLong = 2;
    private const int Received = 0, NoBuffer = 1;

    private readonly SpscRing<Slot> _ring;
    private readonly LcoreWaker _waker;
    private readonly CounterBlock _sender = new("handed-over", "drop-handover-full", "drop-handover-too-long");
    private readonly CounterBlock _receiver = new("received", "drop-no-buffer");
    private bool _unflushed;

    /// <summary>Makes an empty ring of 2 KiB slots.</summary>
    /// <param name="capacity">Packets it holds: a power of two.</param>
    /// <param name="receiver">The receiving lcore's waker.</param>
    public PacketHandover(int capacity, LcoreWaker receiver)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        _ring = new SpscRing<Slot>(capacity);
        _waker = receiver;
    }

    /// <summary>True when the receiver would find nothing.</summary>
    public bool IsEmpty => _ring.IsEmpty;

    /// <summary>The sender's counters: handed over, dropped because the ring was full, dropped because the packet was too long.</summary>
    public CounterBlock SenderCounters => _sender;

    /// <summary>The receiver's counters: received, dropped because its pool was empty.</summary>
    public CounterBlock ReceiverCounters => _receiver;

    /// <summary>Copies a packet and its scratch into the ring. The sender keeps the buffer either way.</summary>
    /// <returns>False, counted, when the ring is full or the packet longer than <see cref="MaximumLength"/>.</returns>
    public bool TryPost(PacketBuffer* packet)
    {
        if (packet->Length > MaximumLength)
        {
            _sender.Increment(TooLong);
            return false;
        }
        Slot* slot = _ring.ReserveSlot();
        if (slot == null)
        {
            _sender.Increment(Full);
            return false;
        }
        slot->Length = packet->Length;
        Buffer.MemoryCopy(packet->Scratch, slot->Scratch, PacketBuffer.ScratchSize, PacketBuffer.ScratchSize);
        Buffer.MemoryCopy(packet->Data, slot->Data, MaximumLength, packet->Length);
        _ring.PublishSlot();
        _unflushed = true;
        _sender.Increment(Posted);
        return true;
    }

    /// <summary>Wakes the receiver, if it sleeps, for everything posted since the last call: once per turn of the sender's loop.</summary>
    public void Flush()
    {
        if (!_unflushed)
            return;
        _unflushed = false;
        _waker.Wake();
    }

    /// <summary>Takes packets into buffers of the receiver's pool.</summary>
    /// <returns>How many buffers were filled; packets for which there was no buffer are dropped and counted.</returns>
    public int Receive(PacketBuffer** burst, int capacity, PacketPool pool)
    {
        ArgumentNullException.ThrowIfNull(pool);
        int count = 0;
        while (count < capacity)
        {
            Slot* slot = _ring.PeekSlot();
            if (slot == null)
                break;
            if (!pool.TryRent(out PacketBuffer* packet))
                _receiver.Increment(NoBuffer);
            else if (!packet->TrySetLength(slot->Length))
            {
                pool.Return(packet);
                _receiver.Increment(NoBuffer);
            }
            else
            {
                // Sound: TrySetLength has just said that the buffer holds Length bytes, and TryPost that the slot does.
                Buffer.MemoryCopy(slot->Data, packet->Data, packet->Length, slot->Length);
                Buffer.MemoryCopy(slot->Scratch, packet->Scratch, PacketBuffer.ScratchSize, PacketBuffer.ScratchSize);
                burst[count++] = packet;
            }
            _ring.ReleaseSlot();
        }
        _receiver.Add(Received, count);
        return count;
    }

    /// <summary>Frees the ring, its packets cleared, when both lcores have stopped.</summary>
    public void Dispose()
    {
        _ring.Dispose();
        _sender.Dispose();
        _receiver.Dispose();
    }

    [StructLayout(LayoutKind.Sequential, Size = 2048)]
    private struct Slot
    {
        public int Length;
        public int Reserved;
        public fixed byte Scratch[PacketBuffer.ScratchSize];
        public fixed byte Data[MaximumLength];
    }
}
