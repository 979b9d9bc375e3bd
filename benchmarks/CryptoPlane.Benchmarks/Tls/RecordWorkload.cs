using System.Runtime.InteropServices;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>The contents that both sides put into records: 32 buffers, used in turn.</summary>
internal sealed unsafe class RecordWorkload : IDisposable
{
    /// <summary>How many contents there are.</summary>
    public const int Buffers = 32;

    // What a run holds between writing and reading: enough to make a timestamp cheap, and no more than the caches bear.
    private const int BytesPerRun = 256 * 1024;

    private readonly byte* _contents;

    public RecordWorkload(int length, bool writes)
    {
        Length = length;
        Writes = writes;
        Records = Math.Clamp(BytesPerRun / length / Buffers, 1, 16) * Buffers;
        // One byte behind a content belongs to the record layer: the inner content type goes there.
        Stride = (length + 1 + 63) / 64 * 64;
        _contents = (byte*)NativeMemory.AlignedAlloc((nuint)(Stride * Buffers), 64);
        new Random(length).NextBytes(new Span<byte>(_contents, Stride * Buffers));
    }

    public int Length { get; }

    /// <summary>True where writing is timed, false where reading is.</summary>
    public bool Writes { get; }

    /// <summary>Records of one run: a multiple of 32.</summary>
    public int Records { get; }

    /// <summary>Bytes from one content to the next.</summary>
    public int Stride { get; }

    public byte* Content(int record) => _contents + record % Buffers * Stride;

    public ReadOnlySpan<byte> ContentSpan(int record) => new(Content(record), Length);

    public void Dispose() => NativeMemory.AlignedFree(_contents);
}
