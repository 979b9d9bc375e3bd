using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Sinks;

/// <summary>TCP: connections that are refused, lost, and blocked. The test's clock is the sink's; the sockets are real.</summary>
public class TcpSinkTests
{
    private readonly List<string> _notices = [];
    private long _now;

    [Fact]
    public void What_waits_for_the_first_connection_arrives()
    {
        using var listener = new TcpListener(IPAddress.Loopback, FreePort.Tcp());
        using IpfixTcpSink sink = Make((IPEndPoint)listener.LocalEndpoint);
        sink.Add(Tcp(), default, At(_now));
        sink.Tick(At(_now));
        Eventually.True(() => Advance(sink).Errors > 0, "a refused connection");
        listener.Start();
        Eventually.True(() => Advance(sink).Records == 1, "the record is sent");
        using Socket collector = listener.AcceptSocket();
        Assert.Equal("connected", sink.State);
        sink.Close(At(_now));

        var reader = new IpfixReader();
        reader.ReadStream(ReadToEnd(collector));
        Assert.Single(reader.Records, record => record.Template == 256);
        Assert.Single(reader.Records, record => record.Template == 264);
        Assert.Equal((0, 0), (sink.Statistics.Dropped, sink.Statistics.Reconnects));
    }

    [Fact]
    public void A_lost_connection_comes_back_as_a_session_of_its_own()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using IpfixTcpSink sink = Make((IPEndPoint)listener.LocalEndpoint);
        sink.Add(Tcp(), default, At(_now));
        Eventually.True(() => Advance(sink).Records == 1, "the record is sent");
        listener.AcceptSocket().Dispose();
        Eventually.True(() => Advance(sink).Reconnects == 1, "another connection");
        sink.Add(Tcp(), default, At(_now));
        Eventually.True(() => Advance(sink).Records == 2, "the second record is sent");
        using Socket collector = listener.AcceptSocket();
        sink.Close(At(_now));

        byte[] stream = ReadToEnd(collector);
        Assert.Equal(0, stream[8] | stream[9] | stream[10] | stream[11]);
        var reader = new IpfixReader();
        reader.ReadStream(stream);
        Assert.Single(reader.Records, record => record.Template == 256);
        Assert.Contains(_notices, notice => notice.Contains("the collector closed it") || notice.Contains("Reset"));
    }

    [Fact]
    public void A_collector_that_reads_nothing_costs_records_and_a_connection()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Server.ReceiveBufferSize = 4096;
        listener.Start();
        using IpfixTcpSink sink = Make((IPEndPoint)listener.LocalEndpoint);
        Advance(sink);
        using Socket blocked = listener.AcceptSocket();
        Eventually.True(() =>
        {
            Advance(sink);
            for (int i = 0; i < 1000; i++)
                sink.Add(Tcp(i), default, At(_now));
            return sink.Statistics.Dropped > 5000;
        }, "records are dropped");
        FlowSinkStatistics statistics = sink.Statistics;
        Assert.Equal(statistics.DroppedPackets, 18 * statistics.Dropped);
        Assert.Equal(statistics.LastDrop, At(_now).Unix);
        Assert.True(statistics.Waiting > 100, $"{statistics.Waiting} records wait.");

        _now += 60_000;
        Eventually.True(() => Advance(sink).Reconnects == 1, "another connection");
        Assert.Contains(_notices, notice => notice.Contains("took nothing for 60 s"));
        // What waited went with the connection; nothing is counted twice or not at all.
        statistics = sink.Statistics;
        using Socket collector = listener.AcceptSocket();
        sink.Add(Tcp(), default, At(_now));
        Eventually.True(() => Advance(sink).Records == statistics.Records + 1, "a record by the new connection");
        Assert.Equal(0, sink.Statistics.Waiting);
    }

    [Fact]
    public void Attempts_become_seldom()
    {
        using IpfixTcpSink sink = Make(new IPEndPoint(IPAddress.Loopback, FreePort.Tcp()));
        Eventually.True(() => Advance(sink, 1000).Errors == 8, "eight failures");
        // 1, 2, 4, 8, 16, 32 and then 60 seconds; a step of the loop more for each, at most two.
        Assert.InRange(_now, 123_000, 140_000);
        Assert.Equal(6, _notices.Count);
    }

    [Fact]
    public void A_buffer_without_room_for_a_session_is_refused() => Assert.Throws<ArgumentException>(() => new IpfixTcpSink(
        new IpfixTcpSinkOptions("x", new IPEndPoint(IPAddress.Loopback, 1)) { Buffer = 65536 }));

    private IpfixTcpSink Make(IPEndPoint collector) => new(new IpfixTcpSinkOptions("collector", collector)
    {
        Session = new IpfixSessionOptions { MessageSize = 8192, FlushPeriod = 1_000_000 },
        Buffer = 256 * 1024,
    })
    {
        Notice = _notices.Add,
    };

    private FlowSinkStatistics Advance(FlowSink sink, int milliseconds = 10)
    {
        sink.Tick(At(_now += milliseconds));
        return sink.Statistics;
    }

    private static byte[] ReadToEnd(Socket socket)
    {
        using var bytes = new MemoryStream();
        using var stream = new NetworkStream(socket);
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }
}
