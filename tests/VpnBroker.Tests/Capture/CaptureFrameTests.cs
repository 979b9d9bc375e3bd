using System.Net;
using System.Net.Sockets;
using System.Text;
using CryptoPlane.TestKit;
using VpnBroker.Capture;

namespace VpnBroker.Tests.Capture;

/// <summary>The frames in which a capture crosses the control socket, and clients that do not take them.</summary>
public sealed class CaptureFrameTests : IDisposable
{
    private static readonly CaptureFrameLimits s_patient = new(TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(1));
    private static readonly TimeSpan s_moment = TimeSpan.FromMilliseconds(50);

    private readonly Socket _broker = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Socket _client;

    public CaptureFrameTests()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        _broker.Connect(listener.LocalEndPoint!);
        _client = listener.Accept();
    }

    [Fact]
    public async Task What_is_written_arrives_with_its_counts()
    {
        byte[] content = new byte[3_000_000];
        new Random(1).NextBytes(content);
        using var received = new MemoryStream();
        var progress = new List<CaptureProgress>();
        Task<CaptureProgress> reading = Task.Run(() => new CaptureFrameReader(new NetworkStream(_client)).CopyTo(received, progress.Add), TestContext.Current.CancellationToken);
        using (var writer = new CaptureFrameWriter(_broker, s_patient, CancellationToken.None))
        {
            writer.Report(new CaptureProgress(0, 0, 0));
            for (int at = 0; at < content.Length; at += 250_000)
                writer.Write(content.AsSpan(at, 250_000));
            writer.Report(new CaptureProgress(7, 8, 9));
            writer.TryReport(new CaptureProgress(10, 11, 12, "enough"));
        }
        Assert.Equal(new CaptureProgress(10, 11, 12, "enough"), await reading);
        Assert.Equal([new CaptureProgress(0, 0, 0), new CaptureProgress(7, 8, 9)], progress);
        Assert.Equal(content, received.ToArray());
    }

    [Fact]
    public void The_clients_end_is_seen_behind_what_it_says()
    {
        using var writer = new CaptureFrameWriter(_broker, s_patient, CancellationToken.None);
        Assert.False(writer.ClientHasEnded);
        _client.Send(new byte[1000]);
        _client.Shutdown(SocketShutdown.Send);
        Eventually.True(() => writer.ClientHasEnded, "the client's end");
        // It wants no more, and still takes what is left.
        writer.Write([1, 2, 3]);
        _client.LingerState = new LingerOption(true, 0);
        _client.Dispose();
        Eventually.True(() => Lost(writer, [1]) == "the client has gone", "the loss of the client");
        Assert.True(writer.ClientHasEnded);
    }

    [Fact]
    public void A_client_that_takes_nothing_is_given_up()
    {
        using var writer = new CaptureFrameWriter(_broker, s_patient with { Stall = s_moment }, CancellationToken.None);
        Assert.Equal("the client took no more, or too slowly", Fill(writer));
        writer.TryReport(new CaptureProgress(0, 0, 0, "too slow"));
    }

    [Theory]
    [InlineData(true, "the broker stops")]
    [InlineData(false, "the client took no more, or too slowly")]
    public async Task A_client_that_takes_a_little_all_the_time_is_given_up_in_the_end(bool stopping, string reason)
    {
        using var stop = new CancellationTokenSource();
        CaptureFrameLimits limits = stopping ? s_patient with { Stop = s_moment } : s_patient with { Whole = s_moment };
        using var writer = new CaptureFrameWriter(_broker, limits, stop.Token);
        if (stopping)
            await stop.CancelAsync();
        bool done = false;
        Task trickle = Task.Run(() =>
        {
            byte[] some = new byte[100_000];
            while (!Volatile.Read(ref done))
            {
                if (_client.Available > 0)
                    _client.Receive(some);
                Thread.Sleep(2);
            }
        }, TestContext.Current.CancellationToken);
        Assert.Equal(reason, Fill(writer));
        Volatile.Write(ref done, true);
        await trickle;
    }

    [Fact]
    public void Anything_that_is_no_capture_is_refused()
    {
        byte[] capture = [(byte)'D', 3, 0, 0, 0, 1, 2, 3, .. FrameOf('P', "{\"captured\":1,\"missed\":0,\"bytes\":3}"), .. FrameOf('E', "{\"captured\":1,\"missed\":0,\"bytes\":3,\"reason\":\"x\"}")];
        using var whole = new MemoryStream();
        Assert.Equal("x", Read(capture, whole).Reason);
        Assert.Equal([1, 2, 3], whole.ToArray());
        for (int length = 0; length < capture.Length; length++)
            Assert.Throws<InvalidDataException>(() => Read(capture[..length]));
        foreach (byte[] wrong in (byte[][])[FrameOf('X', ""), FrameOf('P', "null"), FrameOf('E', "[]"), FrameOf('E', ""), [(byte)'D', 1, 0, 16, 0], [(byte)'D', 255, 255, 255, 255]])
            Assert.Throws<InvalidDataException>(() => Read([.. wrong, .. capture]));
        var random = new Random(3);
        for (int i = 0; i < 5_000; i++)
        {
            byte[] mutated = [.. capture];
            for (int change = random.Next(1, 4); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            try
            {
                Read(mutated);
            }
            catch (InvalidDataException)
            {
                // The only way in which it may fail.
            }
        }
    }

    public void Dispose()
    {
        _client.Dispose();
        _broker.Dispose();
    }

    private static string Fill(CaptureFrameWriter writer)
    {
        byte[] much = new byte[200_000];
        string? reason = null;
        while (reason == null)
            reason = Lost(writer, much);
        return reason;
    }

    private static string? Lost(CaptureFrameWriter writer, byte[] bytes)
    {
        try
        {
            writer.Write(bytes);
            return null;
        }
        catch (CaptureClientLostException e)
        {
            return e.Message;
        }
    }

    private static byte[] FrameOf(char type, string json) => [(byte)type, .. BitConverter.GetBytes(json.Length), .. Encoding.UTF8.GetBytes(json)];

    private static CaptureProgress Read(byte[] bytes, MemoryStream? output = null) => new CaptureFrameReader(new MemoryStream(bytes)).CopyTo(output ?? new MemoryStream(), _ => { });
}
