using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Names;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Sinks;

/// <summary>UDP: messages of the size that was asked for, collectors that are away.</summary>
public class UdpSinkTests
{
    [Fact]
    public void Datagrams_are_messages()
    {
        using var collector = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        collector.Client.ReceiveTimeout = 20_000;
        collector.Client.ReceiveBufferSize = 1024 * 1024;
        using IpfixUdpSink sink = Make((IPEndPoint)collector.Client.LocalEndPoint!);
        for (int i = 0; i < 200; i++)
            sink.Add(Tcp(i), default, At(i));
        sink.Close(At(1000));

        var reader = new IpfixReader();
        IPEndPoint? from = null;
        for (int i = 0; i < sink.Statistics.Messages; i++)
        {
            byte[] datagram = collector.Receive(ref from);
            Assert.InRange(datagram.Length, 20, 1200);
            reader.Read(datagram);
        }
        Assert.Equal(200, reader.Records.Count(record => record.Template == 256));
        Assert.Equal((200, 0), (sink.Statistics.Records, sink.Statistics.Dropped));
    }

    [Fact]
    public void A_collector_that_is_away_does_no_harm_and_gets_templates_when_it_is_back()
    {
        int port = FreePort.Udp();
        using IpfixUdpSink sink = Make(new IPEndPoint(IPAddress.Loopback, port));
        for (int i = 0; i < 100; i++)
        {
            sink.Add(Tcp(i), default, At(i * 10));
            sink.Tick(At(i * 10 + 5));
        }
        Assert.Equal(100, sink.Statistics.Records + sink.Statistics.Dropped + sink.Statistics.Waiting);
        using var collector = new UdpClient(new IPEndPoint(IPAddress.Loopback, port));
        collector.Client.ReceiveTimeout = 20_000;
        sink.Tick(At(60_000));
        sink.Add(Tcp(), default, At(60_000));
        sink.Close(At(60_001));

        var reader = new IpfixReader();
        IPEndPoint? from = null;
        Eventually.True(() =>
        {
            reader.Read(collector.Receive(ref from));
            return reader.Records.Any(record => record.Template == 256);
        }, "a record after the templates");
    }

    [Fact]
    public void A_message_that_is_too_large_for_the_path_is_counted_and_said()
    {
        using var collector = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        // No datagram over IPv4 has more than 65507 bytes: the kernel says the same (EMSGSIZE) of one as for a path whose MTU it knows.
        // How far the first message is filled depends on the records' length, which that of a name changes.
        for (int length = 0; length < 200; length++)
        {
            var notices = new List<string>();
            using var sink = new IpfixUdpSink(new IpfixUdpSinkOptions("collector", (IPEndPoint)collector.Client.LocalEndPoint!)
            {
                Session = new IpfixSessionOptions { MessageSize = 65535, TemplateRefresh = 1_000_000_000_000 },
            })
            {
                Notice = notices.Add,
            };
            var user = new FlowName("", new string('u', length));
            for (int i = 0; sink.Statistics.Messages + sink.Statistics.Dropped == 0; i++)
                sink.Add(Tcp(i), new FlowRecordNames(user, null, null, null, 64), At(0));
            if (sink.State == "sending")
                continue;
            Assert.Equal("failing", sink.State);
            Assert.Contains("make messages smaller", Assert.Single(notices));
            Assert.True(sink.Statistics.Dropped > 100);
            return;
        }
        Assert.Fail("Every message fitted into a datagram.");
    }

    [Fact]
    public void Templates_must_be_sent_again() => Assert.Throws<ArgumentException>(() => new IpfixUdpSink(
        new IpfixUdpSinkOptions("x", new IPEndPoint(IPAddress.Loopback, 1)) { Session = new IpfixSessionOptions() }));

    private static IpfixUdpSink Make(IPEndPoint collector) => new(new IpfixUdpSinkOptions("collector", collector)
    {
        Session = new IpfixSessionOptions { MessageSize = 1200, TemplateRefresh = 60_000_000_000, FlushPeriod = 1_000_000 },
    });
}
