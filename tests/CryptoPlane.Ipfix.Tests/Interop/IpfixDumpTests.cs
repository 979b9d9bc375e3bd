using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Interop;

/// <summary>libfixbuf reads files, and the stream of a TCP connection, which is the same (RFC 5655 §4).</summary>
public class IpfixDumpTests
{
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Ipfixdump_reads_every_element_by_its_name(bool overTcp, bool starts)
    {
        string ipfixDump = Requirement.Program("ipfixDump", "libfixbuf-tools");
        using var directory = new TemporaryDirectory();
        var mix = new FlowMix(400, starts);
        string file = overTcp ? ReceiveOverTcp(mix, directory) : WriteFile(mix, directory, starts);

        ProgramResult result = ExternalProgram.Run(ipfixDump, ["--rfc5610", "--in", file]).EnsureSuccess();
        Assert.Equal("", result.Error);
        // What libfixbuf has no name for it calls so: with the types that are told (RFC 5610), there is nothing of the kind.
        Assert.DoesNotContain("alien", result.Output);
        string[] records = result.Output.Split("--- data record ");
        var sums = new SortedDictionary<int, FlowSums>();
        // What says that a flow has begun has no counts that anybody could add up.
        string[] begun = [.. records.Where(record => record.Contains(" firewallEvent :"))];
        int Events(int value) => begun.Count(record => record.Contains($"firewallEvent : {value}"));
        Assert.Equal(starts ? (300, 100) : (0, 0), (Events(1), Events(3)));
        Assert.All(begun, record => Assert.False(record.Contains("DeltaCount") || record.Contains("flowEndReason"), record));
        foreach (string record in records.Where(record => record.Contains(" protocolIdentifier :")).Except(begun))
        {
            ulong Of(string name) => ulong.Parse(Regex.Match(record, $@"\b{name} : (\d+)").Groups[1].Value);
            sums[(int)Of("protocolIdentifier")] = sums.GetValueOrDefault((int)Of("protocolIdentifier"))
                .Plus(Of("packetDeltaCount"), Of("octetDeltaCount"), Of("reversePacketDeltaCount"), Of("reverseOctetDeltaCount"));
            Assert.Equal((42ul, 5ul, 2ul), (Of("ingressTunnelId"), Of("ruleId"), Of("trafficClass")));
            Assert.Matches(@"userName : \(len: 4\) zoë", record);
        }
        Assert.Equal(mix.Sums, sums);

        string told = string.Concat(records);
        Assert.Matches(@"tunnelId : 42\s+.*interfaceName : \(len: 0\)\s+.*userName : \(len: 4\) zoë", told);
        Assert.Matches(@"tunnelId : 1\s+.*interfaceName : \(len: 3\) dc2", told);
        Assert.Matches(@"ruleId : 5\s+.*ruleName : \(len: 16\) staff to servers", told);
        Assert.Matches(@"dropReason : 17\s+.*dropReasonName : \(len: 11\) slow-reader", told);
        Assert.Matches($@"exportedFlowRecordTotalCount : {(starts ? 800 : 400)}\b", told);
        Assert.Contains("notSentFlowTotalCount : 0", told);
        Assert.Matches($@"File Stats: \d+ Messages, \d+ Data Records, {(starts ? 16 : 12)} Template Records", result.Output);
    }

    private static string WriteFile(FlowMix mix, TemporaryDirectory directory, bool starts)
    {
        using var sink = new IpfixFileSink("file", new FlowFileOptions(directory.Path, "flows"), new IpfixSessionOptions { StartRecords = starts });
        mix.Send(sink);
        sink.Close(At(1000));
        return Directory.GetFiles(directory.Path, "*.ipfix").Single();
    }

    private static string ReceiveOverTcp(FlowMix mix, TemporaryDirectory directory)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var sink = new IpfixTcpSink(new IpfixTcpSinkOptions("tcp", (IPEndPoint)listener.LocalEndpoint));
        mix.Send(sink);
        long now = 1000;
        Eventually.True(() =>
        {
            sink.Tick(At(now += 100));
            return sink.Statistics.Records == mix.Flows.Count;
        }, "all records are sent");
        using Socket collector = listener.AcceptSocket();
        sink.Close(At(now));
        string file = directory.File("stream");
        using FileStream copy = File.Create(file);
        using var stream = new NetworkStream(collector);
        stream.CopyTo(copy);
        return file;
    }
}
