using System.Net;
using System.Text.Json;
using CryptoPlane.Policy;
using CryptoPlane.TestKit;
using VpnBroker.Audit;
using VpnBroker.DataPlane.Contracts;
using VpnBroker.Tests.Sessions;

namespace VpnBroker.Tests.Audit;

public class AuditLogTests
{
    [Fact]
    public void Records_are_lines_of_json_in_a_private_file()
    {
        using var directory = new TemporaryDirectory();
        var log = new AuditLog(new ManualClock());
        string path = directory.File("audit.jsonl");
        log.Open(path);
        Assert.True(log.Write(new AuditRecord(AuditEvent.Login, "a\"b\n", new IPEndPoint(IPAddress.Parse("192.0.2.1"), 99), false, "wrong password", 0)));
        Assert.True(log.Write(new AuditRecord(AuditEvent.Connect, "alice", new IPEndPoint(IPAddress.IPv6Loopback, 1), true, null, 7)));
        string[] lines = File.ReadAllLines(path);
        Assert.Equal(2, lines.Length);
        JsonElement first = JsonDocument.Parse(lines[0]).RootElement;
        Assert.Equal("2026-11-21T00:00:00.000Z", first.GetProperty("time").GetString());
        Assert.Equal("a\"b\n", first.GetProperty("user").GetString());
        Assert.Equal("failure", first.GetProperty("result").GetString());
        Assert.Equal("wrong password", first.GetProperty("reason").GetString());
        Assert.False(first.TryGetProperty("session", out _));
        Assert.Equal(7, JsonDocument.Parse(lines[1]).RootElement.GetProperty("session").GetInt32());
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void Decisions_of_the_policy_are_recorded_with_what_is_known_of_the_flow()
    {
        using var directory = new TemporaryDirectory();
        var log = new AuditLog(new ManualClock());
        string path = directory.File("audit.jsonl");
        log.Open(path);
        IPAddress from = IPAddress.Parse("10.8.0.10"), to = IPAddress.Parse("192.0.2.1");
        Assert.True(log.Write(new PolicyAudit(new PolicyDecision("web", PolicyAction.Reject, "alice", from, 4000, to, 443, 6))));
        Assert.True(log.Write(new PolicyAudit(new PolicyDecision("rest", PolicyAction.Deny, null, from, null, to, null, null))));
        Assert.True(log.Write(new PolicyAudit(null, 17)));
        string[] lines = File.ReadAllLines(path);
        const string begin = "{\"time\":\"2026-11-21T00:00:00.000Z\",\"event\":\"policy\",";
        Assert.Equal(
        [
            begin + "\"rule\":\"web\",\"action\":\"reject\",\"user\":\"alice\",\"source\":\"10.8.0.10\",\"sourcePort\":4000,\"destination\":\"192.0.2.1\",\"destinationPort\":443,\"protocol\":6}",
            begin + "\"rule\":\"rest\",\"action\":\"deny\",\"source\":\"10.8.0.10\",\"destination\":\"192.0.2.1\"}",
            begin + "\"leftOut\":17}",
        ], lines);
    }

    [Fact]
    public void A_name_of_any_length_and_any_characters_is_recorded()
    {
        using var directory = new TemporaryDirectory();
        var log = new AuditLog(new ManualClock());
        string path = directory.File("audit.jsonl");
        log.Open(path);
        // Cut at 256 characters, the second one would end with half a surrogate pair.
        string[] names = ["a\ud800b", new string('x', 255) + "\ud83d\ude00", "\u009b31m\r\n"];
        foreach (string name in names)
            Assert.True(log.Write(new AuditRecord(AuditEvent.Login, name, new IPEndPoint(IPAddress.Loopback, 1), false, "unknown user", 0)));
        string[] lines = File.ReadAllLines(path);
        Assert.Equal(names.Length, lines.Length);
        Assert.All(lines, line => Assert.All(line, c => Assert.InRange(c, ' ', '~')));
        Assert.Equal(names[2], JsonDocument.Parse(lines[2]).RootElement.GetProperty("user").GetString());
    }

    [Fact]
    public void A_file_that_was_moved_away_is_begun_again_and_one_that_cannot_be_written_is_reported()
    {
        using var directory = new TemporaryDirectory();
        var log = new AuditLog(new ManualClock());
        string path = directory.File("audit.jsonl");
        log.Open(path);
        var record = new AuditRecord(AuditEvent.Login, "alice", new IPEndPoint(IPAddress.Loopback, 1), true, null, 1);
        log.Write(record);
        File.Move(path, path + ".1");
        log.Write(record);
        Assert.Single(File.ReadAllLines(path));
        File.Delete(path);
        Directory.CreateDirectory(path);
        Assert.False(log.Write(record));
    }
}
