using System.Buffers.Binary;
using System.Text.Json;
using VpnBroker.Status;

namespace VpnBroker.Capture;

/// <summary>The client's side: reads frames.</summary>
internal sealed class CaptureFrameReader(Stream input)
{
    /// <summary>More than a writer puts into a frame.</summary>
    public const int MaxFrame = 1 << 20;

    private readonly byte[] _buffer = new byte[MaxFrame];

    /// <summary>Copies the capture to its end.</summary>
    /// <param name="output">Where the file goes.</param>
    /// <param name="report">Called with every progress.</param>
    /// <returns>The final counts.</returns>
    /// <exception cref="InvalidDataException">What came is no capture, or ended in the middle.</exception>
    /// <exception cref="CaptureOutputException">The output takes no more.</exception>
    public CaptureProgress CopyTo(Stream output, Action<CaptureProgress> report)
    {
        while (true)
        {
            Span<byte> header = _buffer.AsSpan(0, CaptureFrameWriter.HeaderSize);
            Fill(header);
            var type = (CaptureFrameType)header[0];
            int length = BinaryPrimitives.ReadInt32LittleEndian(header[1..]);
            if (length is < 0 or > MaxFrame)
                throw new InvalidDataException($"a frame of {length} bytes");
            Span<byte> bytes = _buffer.AsSpan(0, length);
            Fill(bytes);
            switch (type)
            {
                case CaptureFrameType.Data:
                    Write(output, bytes);
                    break;
                case CaptureFrameType.Progress:
                    report(Parse(bytes));
                    break;
                case CaptureFrameType.End:
                    return Parse(bytes);
                default:
                    throw new InvalidDataException($"a frame of type {header[0]}");
            }
        }
    }

    private static void Write(Stream output, ReadOnlySpan<byte> bytes)
    {
        try
        {
            output.Write(bytes);
            output.Flush();
        }
        catch (IOException e)
        {
            throw new CaptureOutputException(e.Message);
        }
    }

    private static CaptureProgress Parse(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, StatusJson.Default.CaptureProgress) ?? throw new InvalidDataException("a progress without content");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException(e.Message);
        }
    }

    private void Fill(Span<byte> bytes)
    {
        try
        {
            input.ReadExactly(bytes);
        }
        catch (Exception e) when (e is EndOfStreamException or IOException)
        {
            throw new InvalidDataException("the broker closed the connection in the middle of the capture");
        }
    }
}

/// <summary>The file or the program behind the pipe takes no more.</summary>
internal sealed class CaptureOutputException(string message) : Exception(message);
