using System.Net;
using System.Text.RegularExpressions;
using CryptoPlane.TestKit;
using VpnBroker.Capture;
using VpnBroker.Control;
using VpnBroker.DataPlane;
using VpnBroker.Tests.DataPlane;
using VpnBroker.Tests.Hosting;

namespace VpnBroker.Tests.Capture;

/// <summary>Captures of a broker with users: whose packets they are, and what became of them.</summary>
public sealed partial class CaptureUserTests
{
    private const string Sections = "lcores: {count: 1, idle: adaptive}\ncapture: {decrypted: allowed}";

    [Fact]
    public async Task Packets_bear_the_users_name_and_the_reason_of_their_drop()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync(Sections, startDataPlane: DataPlaneHost.Start);
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        string head = client.Connect(client.LogIn(BrokerFixture.User, BrokerFixture.Password)!).Head;
        string address = Address().Match(head).Groups[1].Value;

        using CaptureClient capture = ControlClient.OpenCapture(fixture.ControlSocket, new CaptureRequest(All: true, Acknowledged: true));
        Assert.Matches(@"\Acapturing inner, dropped, tls, dtls:127\.0\.0\.1:[0-9]+\nWARNING", capture.Message);
        byte[] packet = InnerPackets.Udp(address, "203.0.113.1");
        client.Send(TestClient.Cstp(0, packet));
        // There is no route: the user is told.
        Assert.Equal(1, client.Receive()![8 + 9]);
        using var directory = new TemporaryDirectory();
        string[] lines = await ReadAsync(capture, directory, fixture.Port, "frame.interface_name", "frame.packet_flags_direction", "ip.src", "tcp.dstport", "tls.record.content_type", "icmp.type", "frame.comment");

        string session = $"user {BrokerFixture.User}, session {(await fixture.Broker.GetStatusAsync(true)).Users[0].Session}";
        Assert.Equal(
            [
                $"dropped/lcore0||{address}||||dropped: no-route",
                $"inner/lcore0|0x00000001|{address}||||{session}",
                $"inner/lcore0|0x00000002|{lines.Select(line => line.Split('|')).Single(line => line[5] == "3")[2]}|||3|{session}",
            ],
            lines.Where(line => !line.StartsWith("tls", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        string[] sealedLines = [.. lines.Where(line => line.StartsWith("tls", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
        Assert.Equal($"tls/lcore0|0x00000001|127.0.0.1|{fixture.Port}|23||{session}", sealedLines[0]);
        Assert.StartsWith("tls/lcore0|0x00000002|127.0.0.1|", sealedLines[1], StringComparison.Ordinal);
        Assert.EndsWith($"|23||{session}", sealedLines[1], StringComparison.Ordinal);
        Assert.Equal(2, sealedLines.Length);
    }

    [Fact]
    public async Task A_users_name_is_a_filter_and_a_reload_takes_the_permission_back()
    {
        await using BrokerFixture fixture = await BrokerFixture.StartAsync(Sections, startDataPlane: DataPlaneHost.Start);
        using var client = new TestClient(fixture.Endpoint, fixture.Broker.Pin!);
        var request = new CaptureRequest(Inner: true, Acknowledged: true, Filter: $"user {BrokerFixture.User} and proto udp");
        Assert.Contains("no inner address", Assert.Throws<CaptureRefusedException>(() => ControlClient.OpenCapture(fixture.ControlSocket, request)).Message, StringComparison.Ordinal);
        string head = client.Connect(client.LogIn(BrokerFixture.User, BrokerFixture.Password)!).Head;
        using CaptureClient capture = ControlClient.OpenCapture(fixture.ControlSocket, request);
        client.Send(TestClient.Cstp(0, InnerPackets.Udp(Address().Match(head).Groups[1].Value, "203.0.113.1")));
        Assert.NotNull(client.Receive());

        await fixture.WriteConfigAsync("lcores: {count: 1, idle: adaptive}");
        Assert.Null(await fixture.Broker.ReloadAsync());
        using var file = new MemoryStream();
        CaptureProgress end = capture.CopyTo(file, _ => { });
        Assert.Equal("the configuration does not allow it any more", end.Reason);
        // Seen opened, and dropped.
        Assert.Equal((2, 0), (end.Captured, end.Missed));
        Assert.Contains("configuration does not allow", Assert.Throws<CaptureRefusedException>(() => ControlClient.OpenCapture(fixture.ControlSocket, request)).Message, StringComparison.Ordinal);
        Assert.Equal(["failure", "success", "success", "failure"], fixture.Audit().Where(record => record.GetProperty("event").GetString() == "capture").Select(record => record.GetProperty("result").GetString()));
    }

    [Fact]
    public async Task A_broker_that_stops_ends_the_capture_and_tells_its_client()
    {
        BrokerFixture fixture = await BrokerFixture.StartAsync(Sections, startDataPlane: DataPlaneHost.Start);
        using CaptureClient capture = ControlClient.OpenCapture(fixture.ControlSocket, new CaptureRequest(Ports: ["tls"], Seconds: 3600));
        using var file = new MemoryStream();
        Task<CaptureProgress> reading = Task.Run(() => capture.CopyTo(file, _ => { }), TestContext.Current.CancellationToken);
        await fixture.DisposeAsync();
        Assert.Equal("the broker stops", (await reading).Reason);
        Assert.Equal(["tls/lcore0"], new PcapngFile(file.ToArray()).Statistics.Keys);
    }

    private static async Task<string[]> ReadAsync(CaptureClient capture, TemporaryDirectory directory, int port, params string[] fields)
    {
        string path = directory.File("capture.pcapng");
        capture.End();
        await using (FileStream file = File.Create(path))
            capture.CopyTo(file, _ => { });
        ProgramResult result = ExternalProgram.Run(Requirement.Program("tshark"),
            ["-n", "-r", path, "-d", $"tcp.port=={port},tls", "-T", "fields", "-E", "separator=|", "-E", "occurrence=f", .. fields.SelectMany(field => (string[])["-e", field])]);
        return result.EnsureSuccess().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex("X-CSTP-Address: ([0-9.]+)")]
    private static partial Regex Address();
}
