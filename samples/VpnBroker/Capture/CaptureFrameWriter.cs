using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text.Json;
using CryptoPlane.Lcores;
using VpnBroker.Status;

namespace VpnBroker.Capture;

/// <summary>What a frame on the control socket has.</summary>
internal enum CaptureFrameType : byte
{
    /// <summary>A piece of the capture file.</summary>
    Data = (byte)'D',

    /// <summary>A <see cref="CaptureProgress"/>.</summary>
    Progress = (byte)'P',

    /// <summary>The last one: a <see cref="CaptureProgress"/> with its reason.</summary>
    End = (byte)'E',
}

/// <summary>
/// A capture on its way to the client, behind the response line: frames of a type, four bytes of length (little-endian) and so many
/// bytes. What is written to the stream becomes data frames.
/// </summary>
/// <remarks>
/// One thread. It waits for a client that is slow, but neither for one that takes nothing, nor much longer than the capture may last, nor when
/// the broker stops: the lcores' rings, which the client keeps occupied, are bounded in time.
/// </remarks>
internal sealed class CaptureFrameWriter : Stream
{
    public const int HeaderSize = 5;

    private const int PollMicroseconds = 100_000;

    private readonly Socket _client;
    private readonly CaptureFrameLimits _limits;
    private readonly CancellationToken _stop;
    private long _limit;
    private bool _stopping;

    /// <summary>Takes the client's socket, which stays the caller's and does not block any more.</summary>
    public CaptureFrameWriter(Socket client, in CaptureFrameLimits limits, CancellationToken stop)
    {
        _client = client;
        _client.Blocking = false;
        _limits = limits;
        _stop = stop;
        _limit = MonotonicClock.Nanoseconds + Nanoseconds(limits.Whole);
    }

    /// <summary>Whether the client has closed its sending side, or everything: it wants no more.</summary>
    public bool ClientHasEnded
    {
        get
        {
            // What a client says during its capture has no meaning, but must not hide its end.
            Span<byte> ignored = stackalloc byte[256];
            int count = _client.Receive(ignored, SocketFlags.None, out SocketError error);
            return error != SocketError.WouldBlock && (error != SocketError.Success || count == 0);
        }
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <inheritdoc/>
    /// <exception cref="CaptureClientLostException">The client is gone, or too slow.</exception>
    public override void Write(ReadOnlySpan<byte> buffer) => Send(CaptureFrameType.Data, buffer);

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Send(CaptureFrameType.Data, buffer.AsSpan(offset, count));

    /// <summary>Tells how the capture stands.</summary>
    /// <exception cref="CaptureClientLostException">The client is gone, or too slow.</exception>
    public void Report(CaptureProgress progress) => Send(
        progress.Reason is null ? CaptureFrameType.Progress : CaptureFrameType.End, JsonSerializer.SerializeToUtf8Bytes(progress, StatusJson.Default.CaptureProgress));

    /// <summary>Tells it to a client that may have gone.</summary>
    public void TryReport(CaptureProgress progress)
    {
        try
        {
            Report(progress);
        }
        catch (CaptureClientLostException)
        {
            // Nobody is left to be told.
        }
    }

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private static long Nanoseconds(TimeSpan time) => time.Ticks * TimeSpan.NanosecondsPerTick;

    private void Send(CaptureFrameType type, ReadOnlySpan<byte> bytes)
    {
        Span<byte> header = [(byte)type, 0, 0, 0, 0];
        BinaryPrimitives.WriteInt32LittleEndian(header[1..], bytes.Length);
        SendAll(header);
        SendAll(bytes);
    }

    private void SendAll(ReadOnlySpan<byte> bytes)
    {
        long lastTaken = MonotonicClock.Nanoseconds;
        while (bytes.Length > 0)
        {
            int sent = _client.Send(bytes, SocketFlags.None, out SocketError error);
            if (error == SocketError.Success)
            {
                bytes = bytes[sent..];
                lastTaken = MonotonicClock.Nanoseconds;
            }
            else if (error == SocketError.WouldBlock)
            {
                WaitForRoom(lastTaken);
            }
            else
            {
                throw new CaptureClientLostException("the client has gone");
            }
        }
    }

    private void WaitForRoom(long lastTaken)
    {
        bool hasRoom = _client.Poll(PollMicroseconds, SelectMode.SelectWrite);
        long now = MonotonicClock.Nanoseconds;
        if (_stop.IsCancellationRequested && !_stopping)
        {
            _stopping = true;
            _limit = Math.Min(_limit, now + Nanoseconds(_limits.Stop));
        }
        if (now >= _limit || (!hasRoom && now - lastTaken >= Nanoseconds(_limits.Stall)))
            throw new CaptureClientLostException(_stopping ? "the broker stops" : "the client took no more, or too slowly");
    }
}

/// <summary>How long a client is waited for.</summary>
/// <param name="Stall">A client that takes nothing at all.</param>
/// <param name="Whole">The whole capture, with what is left in the end.</param>
/// <param name="Stop">Any client when the broker stops.</param>
internal readonly record struct CaptureFrameLimits(TimeSpan Stall, TimeSpan Whole, TimeSpan Stop)
{
    /// <summary>The limits of a capture that lasts so many seconds.</summary>
    public static CaptureFrameLimits Of(int seconds) => new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(seconds + 10), TimeSpan.FromSeconds(1));
}

/// <summary>A client that gets no more of its capture; the message is the reason of the end.</summary>
internal sealed class CaptureClientLostException(string message) : Exception(message);
