using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Flows.Sessions;
using CryptoPlane.Ipfix.Export;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Names;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Export;

/// <summary>The exporter's thread with rings and sinks.</summary>
public sealed class FlowExporterTests : IDisposable
{
    private readonly FlowRecordRing[] _rings = [new(0, 4096), new(1, 4096)];
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        foreach (FlowRecordRing ring in _rings)
            ring.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Records_of_all_rings_reach_all_sinks_also_those_that_wait_at_the_end()
    {
        var sinks = new[] { new CollectingSink("a"), new CollectingSink("b") };
        using (Start(sinks))
        {
            for (int i = 0; i < 1000; i++)
                Assert.True(_rings[i % 2].TryEnqueue(Tcp(i), 0));
        }
        foreach (CollectingSink sink in sinks)
        {
            Assert.Equal(Enumerable.Range(0, 1000).Select(i => Tcp(i).FlowId), sink.Flows.Order());
            Assert.Equal((1, true), (sink.Closed, sink.Disposed));
        }
    }

    [Fact]
    public void A_blocked_collector_does_not_stop_the_others()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Server.ReceiveBufferSize = 4096;
        listener.Start();
        var blocked = new IpfixTcpSink(new IpfixTcpSinkOptions("blocked", (IPEndPoint)listener.LocalEndpoint)
        {
            Buffer = 256 * 1024,
            Session = new IpfixSessionOptions { MessageSize = 8192 },
        });
        var json = new JsonLinesSink("json", new FlowFileOptions(_directory.Path, "flows") { Buffer = 16 * 1024 * 1024, MaximumSize = long.MaxValue });
        const int total = 60_000;
        int refused = 0;
        using (Start(blocked, json))
        {
            for (int i = 0; i < total; i++)
            {
                // An lcore would count the record and go on: here the test is slower than the exporter, or waits for it.
                while (!_rings[i % 2].TryEnqueue(Tcp(i), 0))
                {
                    refused++;
                    Thread.Yield();
                }
            }
            Eventually.True(() => json.Statistics.Records + json.Statistics.Waiting == total, "all records reach the sink that is not blocked");
            Assert.True(blocked.Statistics.Dropped > 1000, $"{blocked.Statistics.Dropped} were dropped; a ring was full {refused} times.");
            Assert.Equal(0, json.Statistics.Dropped);
            Eventually.True(() => json.Statistics.Records == total, "they are written");
        }
        Assert.Equal(total, Directory.GetFiles(_directory.Path, "*.jsonl").Sum(file => File.ReadLines(file).Count()));
    }

    [Fact]
    public void A_sink_s_file_says_what_the_rings_had_no_room_for()
    {
        for (int i = 0; i < 4100; i++)
            Assert.Equal(i < 4096, _rings[0].TryEnqueue(Tcp(i), 1_000_000));
        _rings[1].Ignore(77, 2_000_000);
        using (Start(new IpfixFileSink("file", new FlowFileOptions(_directory.Path, "flows"), new IpfixSessionOptions())))
        {
        }
        var reader = new IpfixReader();
        byte[] file = File.ReadAllBytes(Directory.GetFiles(_directory.Path, "*.ipfix").Single());
        for (int at = 0, length; at < file.Length; at += length)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(file.AsSpan(at + 2));
            reader.Read(file[at..(at + length)]);
        }
        ReadRecord lost = reader.Records.Last(record => record.Template == 264);
        Assert.Equal((4ul, 72ul), (lost[0, 166].Number, lost[0, 167].Number));
        Assert.Equal([(0ul, 0ul), (1ul, 77ul)], reader.Records.Where(record => record.Template == 267).TakeLast(2)
            .Select(record => (record[0, 143].Number, record[0, 165].Number)));
    }

    [Fact]
    public void Sinks_can_be_replaced()
    {
        CollectingSink stays = new("stays"), goes = new("goes"), comes = new("comes");
        using FlowExporter exporter = Start(stays, goes);
        _rings[0].TryEnqueue(Tcp(1), 0);
        Eventually.True(() => goes.Statistics.Records == 1 && stays.Statistics.Records == 1, "the first record");
        exporter.Replace([stays, comes]);
        Eventually.True(() => goes.Disposed, "the old sink ends");
        _rings[0].TryEnqueue(Tcp(2), 0);
        Eventually.True(() => comes.Statistics.Records == 1 && stays.Statistics.Records == 2, "the second record");
        Assert.Equal((1, 1), (goes.Closed, goes.Flows.Count));
        Assert.False(stays.Disposed);
        Assert.Equal(2, exporter.Records);
    }

    [Fact]
    public void A_sink_with_a_mistake_is_put_out_of_use()
    {
        var notices = new List<string>();
        CollectingSink good = new("good"), bad = new("bad") { Fails = true, Notice = notices.Add };
        using FlowExporter exporter = Start(bad, good);
        for (int i = 0; i < 10; i++)
            _rings[0].TryEnqueue(Tcp(i), 0);
        Eventually.True(() => good.Statistics.Records == 10, "the records");
        Assert.Contains("out of use", Assert.Single(notices));
        Assert.True(bad.Disposed);
    }

    private FlowExporter Start(params FlowSink[] sinks) => new(new FlowExporterOptions { Rings = _rings, Names = new SampleNames() }, sinks);

    private sealed class CollectingSink(string name) : FlowSink(name)
    {
        private long _count;

        public List<ulong> Flows { get; } = [];

        public int Closed { get; private set; }

        public bool Disposed { get; private set; }

        public bool Fails { get; init; }

        public override FlowSinkStatistics Statistics => new() { Records = Volatile.Read(ref _count) };

        public override string State => "";

        public override void Add(in FlowRecord flow, in FlowRecordNames names, FlowTime now)
        {
            if (Fails)
                throw new InvalidOperationException("A mistake.");
            Flows.Add(flow.FlowId);
            Volatile.Write(ref _count, _count + 1);
        }

        public override void Tick(FlowTime now)
        {
        }

        public override void Close(FlowTime now) => Closed++;

        protected override void Dispose(bool disposing) => Disposed = true;
    }
}
