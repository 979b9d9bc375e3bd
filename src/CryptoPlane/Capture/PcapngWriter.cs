using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace CryptoPlane.Capture;

/// <summary>
/// Writes a capture file in the format pcapng (draft-ietf-opsawg-pcapng): one section in little-endian order, nanosecond timestamps.
/// Not for lcores: it writes to a stream.
/// </summary>
/// <remarks>
/// One thread. Blocks are put together in a buffer of native memory, which is zeroed in the end, and reach the stream when it is full or
/// <see cref="Flush"/> is called. Texts that are too long are cut; no input makes a malformed block.
/// </remarks>
public sealed unsafe class PcapngWriter : IDisposable
{
    /// <summary>Bytes of a packet and the header before it that a block takes at most.</summary>
    public const int MaxPacket = 65_535 + CaptureOuterHeader.MaxLength;

    private const int BufferSize = 256 * 1024;

    /// <summary>Bytes of a text option that are written at most.</summary>
    private const int MaxText = 1024;

    /// <summary>More than any block but a packet's can have: five options.</summary>
    private const int MaxPlainBlock = 8 * 1024;

    private const uint SectionHeader = 0x0A0D0D0A, InterfaceDescription = 1, InterfaceStatistics = 5, EnhancedPacket = 6;
    private const uint ByteOrderMagic = 0x1A2B3C4D;
    private const ushort Comment = 1;

    private readonly Stream _output;
    private readonly byte* _buffer;
    private readonly List<int> _snapLengths = [];
    private int _used;
    private int _block;
    private bool _disposed;

    /// <summary>Makes a writer; the stream stays the caller's.</summary>
    public PcapngWriter(Stream output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        _buffer = (byte*)NativeMemory.AllocZeroed(BufferSize);
    }

    /// <summary>Bytes of all blocks so far, flushed or not.</summary>
    public long Length { get; private set; }

    /// <summary>Writes the Section Header Block, which comes first.</summary>
    /// <param name="hardware">shb_hardware, or null.</param>
    /// <param name="system">shb_os, or null.</param>
    /// <param name="application">shb_userappl, or null.</param>
    /// <param name="comment">A comment, or null.</param>
    public void WriteSectionHeader(string? hardware, string? system, string? application, string? comment)
    {
        Begin(SectionHeader, MaxPlainBlock);
        Append32(ByteOrderMagic);
        Append32(1); // Version 1.0: major in the lower half.
        Append64(ulong.MaxValue); // The section's length is not known beforehand.
        AppendText(Comment, comment);
        AppendText(2, hardware);
        AppendText(3, system);
        AppendText(4, application);
        End();
    }

    /// <summary>Writes an Interface Description Block.</summary>
    /// <returns>The interface's number, for its packets.</returns>
    public int AddInterface(PcapngInterface description)
    {
        ArgumentNullException.ThrowIfNull(description);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(description.SnapLength);
        Begin(InterfaceDescription, MaxPlainBlock);
        Append32((ushort)description.LinkType);
        Append32((uint)description.SnapLength);
        AppendText(2, description.Name);
        AppendText(3, description.Description);
        AppendOption(9, [9]); // if_tsresol: 10^-9 s.
        if (description.Filter is { } filter)
            AppendText(11, "\0" + filter); // if_filter: a zero, then the text.
        End();
        _snapLengths.Add(description.SnapLength);
        return _snapLengths.Count - 1;
    }

    /// <summary>Writes an Enhanced Packet Block.</summary>
    /// <param name="interfaceNumber">From <see cref="AddInterface"/>.</param>
    /// <param name="timestamp">Nanoseconds since the beginning of 1970 (UTC).</param>
    /// <param name="header">Bytes before the packet; often none.</param>
    /// <param name="bytes">What was kept of the packet.</param>
    /// <param name="originalLength">Bytes that it had.</param>
    /// <param name="direction">Which way it went.</param>
    /// <param name="comment">What is to be said of it, or null.</param>
    /// <exception cref="ArgumentException">The interface is unknown, or the packet longer than <see cref="MaxPacket"/>.</exception>
    public void WritePacket(
        int interfaceNumber, ulong timestamp, ReadOnlySpan<byte> header, ReadOnlySpan<byte> bytes, int originalLength, CaptureDirection direction, string? comment)
    {
        int captured = header.Length + bytes.Length;
        if ((uint)interfaceNumber >= (uint)_snapLengths.Count)
            throw new ArgumentException($"There is no interface {interfaceNumber}.", nameof(interfaceNumber));
        if (captured > MaxPacket || originalLength < bytes.Length)
            throw new ArgumentException($"{captured} bytes were captured of a packet of {originalLength}: at most {MaxPacket} fit, and no more than there were.", nameof(bytes));
        Begin(EnhancedPacket, captured + MaxPlainBlock);
        Append32((uint)interfaceNumber);
        Append32((uint)(timestamp >> 32));
        Append32((uint)timestamp);
        Append32((uint)captured);
        Append32((uint)(header.Length + originalLength));
        Append(header);
        Append(bytes);
        Pad(captured);
        if (direction != CaptureDirection.None)
        {
            Span<byte> flags = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(flags, (uint)direction);
            AppendOption(2, flags);
        }
        AppendText(Comment, comment);
        End();
    }

    /// <summary>Writes an Interface Statistics Block.</summary>
    /// <param name="interfaceNumber">From <see cref="AddInterface"/>.</param>
    /// <param name="start">When the capture began: nanoseconds since the beginning of 1970 (UTC).</param>
    /// <param name="end">When it ended.</param>
    /// <param name="statistics">The counters.</param>
    public void WriteStatistics(int interfaceNumber, ulong start, ulong end, in PcapngStatistics statistics)
    {
        Begin(InterfaceStatistics, MaxPlainBlock);
        Append32((uint)interfaceNumber);
        Append32((uint)(end >> 32));
        Append32((uint)end);
        AppendTime(2, start);
        AppendTime(3, end);
        AppendCount(4, statistics.Received);
        AppendCount(5, statistics.Missed);
        AppendCount(6, statistics.Accepted);
        AppendCount(8, statistics.Delivered);
        End();
    }

    /// <summary>Hands everything to the stream.</summary>
    public void Flush()
    {
        if (_used == 0)
            return;
        _output.Write(new ReadOnlySpan<byte>(_buffer, _used));
        _used = 0;
    }

    /// <summary>Zeroes the buffer and frees it. What was not flushed is lost.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        NativeMemory.Clear(_buffer, BufferSize);
        NativeMemory.Free(_buffer);
    }

    private void Begin(uint type, int room)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (BufferSize - _used < room)
            Flush();
        _block = _used;
        Append32(type);
        Append32(0); // The length, when it is known.
    }

    private void End()
    {
        AppendOption(0, []); // opt_endofopt
        uint length = (uint)(_used - _block + 4);
        Append32(length);
        BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(_buffer + _block + 4, 4), length);
        Length += length;
    }

    // Sound, all: Begin made room for the longest block of its kind, and Append checks all the same.
    private void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(_buffer + _used, BufferSize - _used));
        _used += bytes.Length;
    }

    private void Append32(uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        Append(bytes);
    }

    private void Append64(ulong value)
    {
        Append32((uint)value);
        Append32((uint)(value >> 32));
    }

    private void Pad(int length)
    {
        ReadOnlySpan<byte> zeros = [0, 0, 0];
        Append(zeros[..(-length & 3)]);
    }

    private void AppendOption(ushort code, ReadOnlySpan<byte> value)
    {
        Append32(code | ((uint)value.Length << 16));
        Append(value);
        Pad(value.Length);
    }

    private void AppendText(ushort code, string? text)
    {
        if (text is null)
            return;
        Span<byte> bytes = stackalloc byte[MaxText];
        Encoder encoder = Encoding.UTF8.GetEncoder();
        // Stops before a character that does not fit whole.
        encoder.Convert(text, bytes, flush: true, out _, out int used, out _);
        AppendOption(code, bytes[..used]);
    }

    private void AppendCount(ushort code, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        AppendOption(code, bytes);
    }

    /// <summary>The two halves of a time, the upper one first.</summary>
    private void AppendTime(ushort code, ulong value) => AppendCount(code, (value << 32) | (value >> 32));
}
