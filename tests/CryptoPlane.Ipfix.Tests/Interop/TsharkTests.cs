using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Interop;

/// <summary>Wireshark dissects what sockets of UDP and TCP received, and has nothing to find fault with.</summary>
public class TsharkTests
{
    private const int Flows = 200;
    private const byte Tcp = 6, Udp = 17;

    private FlowMix _mix = new(Flows);

    [Fact]
    public void Tshark_adds_nothing_up_of_records_that_flows_have_begun()
    {
        _mix = new FlowMix(Flows, starts: true);
        Tshark_finds_every_flow_and_no_fault(overTcp: false);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Tshark_finds_every_flow_and_no_fault(bool overTcp)
    {
        string tshark = Requirement.Program("tshark");
        using var directory = new TemporaryDirectory();
        string file = directory.File("wire.pcap");
        using (var capture = new PcapWriter(file))
        {
            if (overTcp)
                WriteSegments(capture, ReceiveStream());
            else
                ReceiveDatagrams().ForEach(datagram => capture.Write(Packet(Udp, [.. Ports, 0, 0, 0, 0], datagram)));
        }

        Assert.Empty(Fields(tshark, file, "_ws.malformed || _ws.expert", "frame.number"));
        ulong[] octets = [.. Fields(tshark, file, "cflow", "cflow.octets").SelectMany(line => line.Split(',')).Select(text => ulong.Parse(text, CultureInfo.InvariantCulture))];
        // Wireshark has one field for both directions.
        Assert.Equal(_mix.Flows.SelectMany(flow => new[] { flow.Forward.Octets, flow.Reverse.Octets }).Order(), octets.Order());
        Assert.NotEmpty(Fields(tshark, file, "cflow.notsent_flows == 0", "frame.number"));
    }

    private static byte[] Ports => [0x12, 0x83, 0x12, 0x83]; // 4739, IANA's for IPFIX.

    private List<byte[]> ReceiveDatagrams()
    {
        using var receiver = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        receiver.Client.ReceiveTimeout = 20_000;
        using var sink = new IpfixUdpSink(new IpfixUdpSinkOptions("wire", (IPEndPoint)receiver.Client.LocalEndPoint!)
        {
            Session = new IpfixSessionOptions { TemplateRefresh = 60_000_000_000, StartRecords = true },
        });
        _mix.Send(sink);
        sink.Close(At(1000));
        var datagrams = new List<byte[]>();
        IPEndPoint? from = null;
        while (datagrams.Count < sink.Statistics.Messages)
            datagrams.Add(receiver.Receive(ref from));
        return datagrams;
    }

    private byte[] ReceiveStream()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var sink = new IpfixTcpSink(new IpfixTcpSinkOptions("wire", (IPEndPoint)listener.LocalEndpoint));
        _mix.Send(sink);
        long now = 1000;
        Eventually.True(() =>
        {
            sink.Tick(At(now += 1000));
            return sink.Statistics.Records == Flows;
        }, "all records are sent");
        using Socket collector = listener.AcceptSocket();
        sink.Close(At(now));
        using var bytes = new MemoryStream();
        using var stream = new NetworkStream(collector);
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>Segments do not end where messages do: Wireshark must find them.</summary>
    private static void WriteSegments(PcapWriter capture, byte[] stream)
    {
        for (int at = 0; at < stream.Length; at += 1000)
        {
            byte[] header = [.. Ports, 0, 0, 0, 0, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0];
            BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), at + 1);
            capture.Write(Packet(Tcp, header, stream.AsSpan(at, Math.Min(1000, stream.Length - at))));
        }
    }

    private static byte[] Packet(byte protocol, byte[] header, ReadOnlySpan<byte> payload)
    {
        byte[] packet = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1, .. header, .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)packet.Length);
        if (protocol == Udp)
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(24), (ushort)(header.Length + payload.Length));
        return packet;
    }

    private static string[] Fields(string tshark, string file, string filter, string field) =>
        ExternalProgram.Run(tshark, ["-r", file, "-2", "-n", "-d", "tcp.port==4739,cflow", "-Y", filter, "-T", "fields", "-e", field]).EnsureSuccess().Output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
