using System.Runtime.InteropServices;
using CryptoPlane.Lcores;

namespace CryptoPlane.Flows.Sessions;

/// <summary>
/// The way of one lcore's records to the exporter: a ring, and beside it what did not fit into it, so that collectors can be told.
/// </summary>
/// <remarks>
/// The lcore alone enqueues and ignores, the exporter's thread alone dequeues, any thread may read <see cref="Losses"/>. Dispose of it when all
/// of them have stopped.
/// </remarks>
public sealed unsafe class FlowRecordRing : IDisposable
{
    private readonly SpscRing<FlowRecord> _ring;
    private FlowLosses* _losses;

    /// <summary>Takes the memory.</summary>
    /// <param name="lcore">The lcore's number, as in <see cref="FlowRecord.Lcore"/>.</param>
    /// <param name="capacity">Records that it holds: a power of two, 2 to 2^24.</param>
    public FlowRecordRing(int lcore, int capacity)
    {
        Lcore = lcore;
        _ring = new SpscRing<FlowRecord>(capacity);
        // Two cache lines of its own, which the lcore alone writes.
        _losses = (FlowLosses*)NativeMemory.AlignedAlloc(128, 128);
        *_losses = default;
    }

    /// <summary>The lcore's number.</summary>
    public int Lcore { get; }

    /// <summary>Records that fit.</summary>
    public int Capacity => _ring.Capacity;

    /// <summary>Records in it; exact for neither side while the other one works.</summary>
    public int Count => _ring.Count;

    /// <summary>What was lost so far. Each number is read whole; all together may be a moment apart.</summary>
    public FlowLosses Losses => new()
    {
        Records = Volatile.Read(ref _losses->Records),
        Packets = Volatile.Read(ref _losses->Packets),
        Octets = Volatile.Read(ref _losses->Octets),
        First = Volatile.Read(ref _losses->First),
        Last = Volatile.Read(ref _losses->Last),
        IgnoredPackets = Volatile.Read(ref _losses->IgnoredPackets),
        IgnoredOctets = Volatile.Read(ref _losses->IgnoredOctets),
        FirstIgnored = Volatile.Read(ref _losses->FirstIgnored),
        LastIgnored = Volatile.Read(ref _losses->LastIgnored),
    };

    /// <summary>Gives the exporter a record; without room it is lost and counted. The lcore.</summary>
    /// <remarks>Records of a <see cref="FlowEvent"/> use half of the ring at most: the others have counts that would be missing.</remarks>
    /// <param name="record">The record.</param>
    /// <param name="unix">Nanoseconds since 1970 (UTC) now.</param>
    /// <returns>False when it is lost.</returns>
    public bool TryEnqueue(in FlowRecord record, long unix)
    {
        if ((record.Event == FlowEvent.None || _ring.Count < _ring.Capacity / 2) && _ring.TryEnqueue(record))
            return true;
        if (_losses->First == 0)
            Volatile.Write(ref _losses->First, unix);
        Volatile.Write(ref _losses->Last, unix);
        Volatile.Write(ref _losses->Records, _losses->Records + 1);
        Volatile.Write(ref _losses->Packets, _losses->Packets + (long)(record.Forward.Packets + record.Reverse.Packets));
        Volatile.Write(ref _losses->Octets, _losses->Octets + (long)(record.Forward.Octets + record.Reverse.Octets));
        return false;
    }

    /// <summary>Counts a packet that no session counts. The lcore.</summary>
    /// <param name="octets">Its bytes, with IP headers.</param>
    /// <param name="unix">Nanoseconds since 1970 (UTC) now.</param>
    public void Ignore(int octets, long unix)
    {
        if (_losses->FirstIgnored == 0)
            Volatile.Write(ref _losses->FirstIgnored, unix);
        Volatile.Write(ref _losses->LastIgnored, unix);
        Volatile.Write(ref _losses->IgnoredPackets, _losses->IgnoredPackets + 1);
        Volatile.Write(ref _losses->IgnoredOctets, _losses->IgnoredOctets + octets);
    }

    /// <summary>Takes a record out. The exporter's thread.</summary>
    /// <returns>False when there is none.</returns>
    public bool TryDequeue(out FlowRecord record) => _ring.TryDequeue(out record);

    /// <summary>Takes records out, as many as there are and have room. The exporter's thread.</summary>
    /// <returns>How many.</returns>
    public int Dequeue(Span<FlowRecord> records) => _ring.Dequeue(records);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_losses == null)
            return;
        _ring.Dispose();
        NativeMemory.AlignedFree(_losses);
        _losses = null;
    }
}
