using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using CryptoPlane.TestKit;
using VpnBroker.Capture;
using VpnBroker.Tests.Interop;

namespace VpnBroker.Tests.Capture;

/// <summary><c>broker capture</c> of a running broker, from the command line to what tshark reads.</summary>
public sealed class CaptureEndToEndTests(CaptureSite site) : IClassFixture<CaptureSite>
{
    private const string Acknowledge = CapturePlanner.AcknowledgeOption;

    [Fact]
    public void Outer_packets_are_those_of_the_wire()
    {
        string file = site.PathOf("outer.pcapng");
        using (ExternalProgram capture = site.Capture("--port", CaptureSite.Port, "--filter", "proto esp and port 4500", "--packets", "6", "-o", file))
        {
            site.Ping(3);
            ProgramResult result = capture.WaitForExit();
            Assert.Contains($"6 packets captured, 0 missed, {new FileInfo(file).Length} bytes in {file}: the limit of packets was reached", result.EnsureSuccess().Error, StringComparison.Ordinal);
        }
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        string[] fields = ["frame.interface_name", "frame.packet_flags_direction", "udp.srcport", "esp.spi", "esp.icv_good", "ip.src", "ip.dst", "icmp.type"];
        const string outgoing = $"{CaptureSite.Port}/lcore0|0x00000002|4500|0x01000002|1|{CaptureSite.GatewayTun}|{CaptureSite.PeerTun}|8";
        const string incoming = $"{CaptureSite.Port}/lcore0|0x00000001|4500|0x01000001|1|{CaptureSite.PeerTun}|{CaptureSite.GatewayTun}|0";
        // With the keys, tshark opens what the broker sealed: a byte wrong anywhere, and the ICV would not be good.
        Assert.Equal([incoming, incoming, incoming, outgoing, outgoing, outgoing], site.Tshark("outer.pcapng", decrypt: true, fields).Order(StringComparer.Ordinal));
        Assert.All(site.Tshark("outer.pcapng", decrypt: false, "ip.src", "ip.dst", "icmp.type"), line => Assert.Contains(line, (string[])["10.98.0.1|10.98.0.2|", "10.98.0.2|10.98.0.1|"]));

        JsonElement[] records = [.. site.Audit().TakeLast(2)];
        Assert.All(records, record => Assert.Equal((0, CaptureSite.Port, "proto esp and port 4500", false, "success"), (
            record.GetProperty("uid").GetInt32(), record.GetProperty("points").GetString(), record.GetProperty("filter").GetString(),
            record.GetProperty("decrypted").GetBoolean(), record.GetProperty("result").GetString())));
        Assert.Equal(6, records[1].GetProperty("packets").GetInt32());
    }

    [Fact]
    public void Inner_packets_need_the_configuration_and_the_option()
    {
        foreach (string[] what in (string[][])[["--inner"], ["--port", "tun:broker0"], ["--all", "--port", "tun:broker0"]])
        {
            ProgramResult byOption = site.TryCapture(peer: false, [.. what, "-o", site.PathOf("refused.pcapng")]);
            Assert.Equal(1, byOption.ExitCode);
            Assert.Contains($"repeat the command with {Acknowledge}", byOption.Error, StringComparison.Ordinal);
            ProgramResult byConfiguration = site.TryCapture(peer: true, [.. what, Acknowledge, "-o", site.PathOf("refused.pcapng")]);
            Assert.Equal(1, byConfiguration.ExitCode);
            Assert.Contains("configuration does not allow", byConfiguration.Error, StringComparison.Ordinal);
            Assert.False(File.Exists(site.PathOf("refused.pcapng")));
        }
        JsonElement record = site.Audit(peer: true)[^1];
        Assert.Equal(("failure", "tun:broker0 --all"), (record.GetProperty("result").GetString(), record.GetProperty("points").GetString()));
    }

    [Fact]
    public void Inner_packets_are_shown_in_clear_to_who_may()
    {
        using (ExternalProgram capture = site.Capture("--inner", Acknowledge, "--snap", "60", "--packets", "4", "-o", site.PathOf("inner.pcapng")))
        {
            Assert.Contains("WARNING: this capture shows users' traffic in clear", capture.Error, StringComparison.Ordinal);
            site.Ping(2);
            capture.WaitForExit().EnsureSuccess();
        }
        const string length = "128|60";
        const string outgoing = $"inner/lcore0|0x00000002|{CaptureSite.GatewayTun}|{CaptureSite.PeerTun}|8|{length}|ESP tunnel office";
        const string incoming = $"inner/lcore0|0x00000001|{CaptureSite.PeerTun}|{CaptureSite.GatewayTun}|0|{length}|ESP tunnel office";
        Assert.Equal([incoming, incoming, outgoing, outgoing], site.Tshark("inner.pcapng", decrypt: false,
            "frame.interface_name", "frame.packet_flags_direction", "ip.src", "ip.dst", "icmp.type", "frame.len", "frame.cap_len", "frame.comment").Order(StringComparer.Ordinal));
        Assert.Contains("This capture shows users' traffic in clear.", ExternalProgram.Run(Requirement.Program("capinfos", "wireshark-common"), [site.PathOf("inner.pcapng")]).AllOutput, StringComparison.Ordinal);
        Assert.Contains("DECRYPTED CAPTURE", site.Broker.Program.AllOutput, StringComparison.Ordinal);
        Assert.True(site.Audit()[^1].GetProperty("decrypted").GetBoolean());
    }

    [Fact]
    public void All_takes_what_may_be_seen_and_says_what_it_leaves_out()
    {
        using ExternalProgram capture = site.Capture("--all", "--seconds", "1", "-o", "-");
        ProgramResult result = capture.WaitForExit().EnsureSuccess();
        Assert.Contains($"capturing {CaptureSite.Port}", result.Error, StringComparison.Ordinal);
        Assert.Contains("left out, since users' traffic is seen there: inner, dropped, tun:broker0", result.Error, StringComparison.Ordinal);
        Assert.Contains("in -: the limit of time was reached", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipe_whose_reader_has_enough_ends_the_capture()
    {
        string[] command = ["-c", "\"$0\" \"$@\" | head -c 100", BrokerProcess.Path, "capture", "--port", CaptureSite.Port, "--seconds", "3600", "-o", "-", "--config", site.PathOf("broker.yaml")];
        using ExternalProgram pipe = ExternalProgram.Start("/bin/sh", command);
        pipe.WaitForOutput("capturing ");
        // What comes after the reader's end is what tells of it.
        for (int i = 0; i < 100 && !pipe.HasExited; i++)
            site.Ping(1);
        Assert.Contains("- takes no more", pipe.WaitForExit().EnsureSuccess().Error, StringComparison.Ordinal);
        Eventually.True(() => site.Audit()[^1].TryGetProperty("reason", out _), "the record of the end");
    }

    [Fact]
    public void A_killed_client_ends_its_capture_and_the_next_one_is_granted()
    {
        using (ExternalProgram capture = site.Capture("--port", CaptureSite.Port, "--seconds", "3600", "-o", site.PathOf("killed.pcapng")))
        {
            ProgramResult second = site.TryCapture(peer: false, "--port", CaptureSite.Port, "-o", site.PathOf("second.pcapng"));
            Assert.Equal(1, second.ExitCode);
            Assert.Contains("only one can at a time", second.Error, StringComparison.Ordinal);
            site.Ping(1);
            Eventually.True(() => PcapngFile.CountPackets(File.ReadAllBytes(site.PathOf("killed.pcapng"))) == 2, "both packets in the file");
            capture.Signal(ExternalProgram.SigKill);
            capture.WaitForExit();
        }
        Eventually.True(() => site.Audit()[^1].TryGetProperty("reason", out _), "the record of the end");
        Assert.Contains(site.Audit()[^1].GetProperty("reason").GetString(), (string[])["the client ended it", "the client has gone"]);
        Assert.Equal(2, site.Tshark("killed.pcapng", decrypt: false, "esp.spi").Length);
        using ExternalProgram next = site.Capture("--port", CaptureSite.Port, "--seconds", "3600", "-o", site.PathOf("next.pcapng"));
        site.Ping(1);
        // The first interrupt asks the broker to end: the file is whole.
        next.Signal(ExternalProgram.SigInt);
        Assert.Contains("2 packets captured, 0 missed", next.WaitForExit().EnsureSuccess().Error, StringComparison.Ordinal);
        Assert.Equal(2ul, new PcapngFile(File.ReadAllBytes(site.PathOf("next.pcapng"))).Statistics[$"{CaptureSite.Port}/lcore0"][8]);
    }

    [Fact]
    public void A_reader_that_sleeps_holds_nothing_up_and_its_file_says_what_is_missing()
    {
        const string flood = $"""
            import socket
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            while True:
                for i in range(100): s.sendto(b'x' * 1300, ('{CaptureSite.Silence}', 9))
            """;
        using Socket client = site.Ask($$"""{"command":"capture","capture":{"ports":["{{CaptureSite.Port}}"],"packets":10000000,"bytes":4294967296,"seconds":60} }""");
        Assert.Contains("capturing", ReadLine(client), StringComparison.Ordinal);
        using var stream = new NetworkStream(client);
        long before = site.SentEsp();
        using (site.Gateway.Start(Requirement.Program("/usr/bin/python3", "python3"), ["-c", flood]))
            // Far more than ring and socket hold; nobody has read a byte of it.
            Eventually.True(() => site.SentEsp() - before > 6_000, "traffic beside the capture");
        client.Shutdown(SocketShutdown.Send);
        using var bytes = new MemoryStream();
        CaptureProgress end = new CaptureFrameReader(stream).CopyTo(bytes, _ => { });

        Assert.Equal("the client ended it", end.Reason);
        var file = new PcapngFile(bytes.ToArray());
        Dictionary<int, ulong> counters = file.Statistics[$"{CaptureSite.Port}/lcore0"];
        Assert.True(end.Missed > 1000, $"{end.Missed} packets are missing");
        Assert.Equal((ulong)end.Missed, counters[5]);
        Assert.Equal((ulong)end.Captured, counters[8]);
        Assert.Equal(end.Captured, file.Packets.Count);
        Assert.Equal(counters[6], counters[5] + counters[8]);
        long sent = 0;
        Eventually.True(() => sent == (sent = site.SentEsp()), "the end of the flood, which is no other test's");
    }

    private static string ReadLine(Socket socket)
    {
        var line = new List<byte>();
        byte[] one = new byte[1];
        while (socket.Receive(one) == 1 && one[0] != '\n')
            line.Add(one[0]);
        return Encoding.UTF8.GetString([.. line]);
    }
}
