using System.Globalization;
using System.Net;
using CryptoPlane.Ipfix.Flows;
using CryptoPlane.Ipfix.Sinks;
using CryptoPlane.TestKit;
using static CryptoPlane.Ipfix.Tests.SampleFlows;

namespace CryptoPlane.Ipfix.Tests.Interop;

/// <summary>The collector of nfdump reads what is sent over UDP.</summary>
public class NfcapdTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nfcapd_takes_all_flows_and_nfdump_comes_to_the_same_sums(bool starts)
    {
        string nfcapd = Requirement.Program("nfcapd", "nfdump"), nfdump = Requirement.Program("nfdump");
        using var directory = new TemporaryDirectory();
        int port = FreePort.Udp();
        using ExternalProgram collector = ExternalProgram.Start(nfcapd,
            ["-b", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture), "-w", directory.Path, "-t", "3600", "-B", "4000000"]);
        collector.WaitForOutput("Startup nfcapd");

        var mix = new FlowMix(1000, starts);
        int records = starts ? 2000 : 1000;
        var session = new IpfixSessionOptions { TemplateRefresh = 60_000_000_000, StartRecords = starts };
        using var sink = new IpfixUdpSink(new IpfixUdpSinkOptions("nfcapd", new IPEndPoint(IPAddress.Loopback, port)) { Session = session });
        mix.Send(sink);
        sink.Close(At(2000));
        Assert.Equal((records, 0), (sink.Statistics.Records, sink.Statistics.Dropped));
        // At its end nfcapd does not read what still waits in the socket.
        Eventually.True(() => UnreadBytes(port) == 0, "nfcapd reads every datagram");
        collector.Signal(ExternalProgram.SigTerm);
        string log = collector.WaitForExit().AllOutput;
        Assert.Contains("New ipfix exporter", log);
        Assert.Contains($"Flows: {records},", log);
        // RFC 7011 §3.1 counts the records of options templates as well; nfcapd does not, and takes those with the first flows for a loss.
        Assert.Matches("Sequence Errors: [01], Bad Packets: 0", log);
        foreach (string trouble in (string[])["arning", "No template", "kip", "orrupt", "failed", "nknown"])
            Assert.DoesNotContain(trouble, log);

        string file = Directory.GetFiles(directory.Path, "nfcapd.2*").Single();
        ProgramResult result = ExternalProgram.Run(nfdump, ["-r", file, "-q", "-N", "-o", "fmt:%pr,%ipkt,%ibyt,%opkt,%obyt,%sp,%flg"]).EnsureSuccess();
        var sums = new SortedDictionary<int, FlowSums>();
        int begun = 0;
        foreach (string line in result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] parts = line.Split(',', StringSplitOptions.TrimEntries);
            int protocol = int.Parse(parts[0], CultureInfo.InvariantCulture);
            ulong[] numbers = [.. parts[1..5].Select(part => ulong.Parse(part, CultureInfo.InvariantCulture))];
            // A flow's beginning counts nothing: it changes no sum.
            if (numbers.All(number => number == 0))
            {
                begun++;
                continue;
            }
            sums[protocol] = sums.GetValueOrDefault(protocol).Plus(numbers[0], numbers[1], numbers[2], numbers[3]);
            if (protocol == 6)
                Assert.Equal("...AP.SF", parts[6]);
        }
        Assert.Equal(mix.Sums, sums);
        Assert.Equal(records - 1000, begun);
    }

    private static long UnreadBytes(int port)
    {
        // Columns: number, local address, remote address, state, queues (proc(5)).
        string[] socket = File.ReadLines("/proc/net/udp").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(columns => columns[1] == $"0100007F:{port:X4}");
        return long.Parse(socket[4].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
