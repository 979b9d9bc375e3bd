using System.Runtime.InteropServices;
using CryptoPlane.Buffers;

namespace CryptoPlane.Capture;

/// <summary>What one lcore captures.</summary>
public sealed record CaptureRingOptions
{
    /// <summary>Memory for packets that wait for the writer, in bytes: a power of two from 256 KiB to 256 MiB.</summary>
    public int RingBytes { get; init; } = 4 * 1024 * 1024;

    /// <summary>Bytes that are kept of a packet at most: 1 to 65,535.</summary>
    public int SnapLength { get; init; } = 65_535;

    /// <summary>One in so many of the packets that the filter lets through is kept: 1 for all.</summary>
    public int SampleEvery { get; init; } = 1;

    /// <summary>Which packets.</summary>
    public CaptureFilter Filter { get; init; }

    /// <summary>At which points: each below <see cref="CaptureTap.MaxPoints"/>.</summary>
    public required IReadOnlyCollection<int> Points { get; init; }
}

/// <summary>
/// Captured packets on their way from one lcore's <see cref="CaptureTap"/> to the one thread that writes them: a fixed piece of memory.
/// When it is full, packets are counted as missed; the lcore never waits.
/// </summary>
/// <remarks>
/// Made and disposed of on a control thread, while no tap has it. Between, the lcore writes, and one thread calls <see cref="Peek"/> and
/// <see cref="Release"/>. The memory holds users' data and is zeroed in the end.
/// </remarks>
public sealed unsafe class CaptureRing : IDisposable
{
    private const int MinimumRing = 256 * 1024, MaximumRing = 256 * 1024 * 1024, MaximumSnap = 65_535;

    private readonly IPacketMemory _memory;
    private readonly nuint _bytes;
    private CaptureState* _state;

    /// <summary>Takes the memory.</summary>
    /// <param name="options">What is captured.</param>
    /// <param name="memory">Where the memory comes from; null for the kernel's.</param>
    public CaptureRing(CaptureRingOptions options, IPacketMemory? memory = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.RingBytes is < MinimumRing or > MaximumRing || (options.RingBytes & (options.RingBytes - 1)) != 0)
            throw new ArgumentException($"A ring of {options.RingBytes} bytes: take a power of two from {MinimumRing} to {MaximumRing}.", nameof(options));
        if (options.SnapLength is < 1 or > MaximumSnap)
            throw new ArgumentException($"A snap length of {options.SnapLength} bytes: take 1 to {MaximumSnap}.", nameof(options));
        if (options.SampleEvery < 1)
            throw new ArgumentException($"One packet in {options.SampleEvery}: take 1 or more.", nameof(options));
        if (options.Points.Any(point => point is < 0 or >= CaptureState.MaxPoints))
            throw new ArgumentException($"A point is not below {CaptureState.MaxPoints}.", nameof(options));

        _memory = memory ?? KernelPacketMemory.Instance;
        _bytes = (nuint)(CaptureState.SizeInBytes + options.RingBytes);
        _state = (CaptureState*)_memory.Allocate(_bytes, 4096);
        _state->Data = (byte*)_state + CaptureState.SizeInBytes;
        _state->Mask = options.RingBytes - 1;
        _state->SnapLength = options.SnapLength;
        _state->SampleEvery = options.SampleEvery;
        _state->Filter = options.Filter;
        foreach (int point in options.Points)
            _state->Enabled[point] = 1;
    }

    /// <summary>What <see cref="CaptureTap.Attach"/> takes.</summary>
    public nint Address => (nint)_state;

    /// <summary>A point's counters. Any thread, until <see cref="Dispose"/>.</summary>
    public CapturePointCounters ReadCounters(int point)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)point, (uint)CaptureState.MaxPoints, nameof(point));
        CapturePointCounters* counters = CaptureState.CountersOf(_state, point);
        return new CapturePointCounters
        {
            Seen = Volatile.Read(ref counters->Seen),
            Accepted = Volatile.Read(ref counters->Accepted),
            Missed = Volatile.Read(ref counters->Missed),
        };
    }

    /// <summary>The oldest packet, to be read until <see cref="Release"/>. The writer only.</summary>
    /// <returns>Null when there is none.</returns>
    public CaptureRecord* Peek()
    {
        while (_state->Head != Volatile.Read(ref _state->Tail))
        {
            // Sound: the lcore has published everything below the tail, and the head is where a record begins.
            var record = (CaptureRecord*)(_state->Data + (_state->Head & _state->Mask));
            if (record->Size > 0)
                return record;
            Release(record);
        }
        return null;
    }

    /// <summary>The bytes of a packet.</summary>
    /// <param name="record">From <see cref="Peek"/>.</param>
    public static ReadOnlySpan<byte> BytesOf(CaptureRecord* record) => new((byte*)record + CaptureRecord.HeaderSize, record->CapturedLength);

    /// <summary>Gives the oldest packet's memory back to the lcore. The writer only.</summary>
    /// <param name="record">From <see cref="Peek"/>.</param>
    public void Release(CaptureRecord* record) => Volatile.Write(ref _state->Head, _state->Head + Math.Abs(record->Size));

    /// <summary>Zeroes the memory and gives it back.</summary>
    public void Dispose()
    {
        if (_state == null)
            return;
        // Here and not only where the memory goes: users' data must not outlive a capture with any provider.
        NativeMemory.Clear(_state, _bytes);
        _memory.Free((byte*)_state, _bytes);
        _state = null;
    }
}
