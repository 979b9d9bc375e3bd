using CryptoPlane.TestKit;
using CryptoPlane.Traffic;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Parsing;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public class TrafficConfigTests
{
    private const string Valid = """

        traffic:
          outside: 1G
          inside: 500M 200000p 2ms
          overhead: 40
          target: 10ms
          interval: 200ms
          totalBytes: 8M
          totalPackets: 2000
          classes:
            - {name: voice, priority: 0, match: [{dscp: [ef, 44]}, {protocol: udp, ports: [5060-5061, 16384]}], shape: 2M, police: 100M, queueBytes: 64k, queuePackets: 50}
            - {name: other, weight: 2}
            - {name: bulk, priority: 6, match: [{groups: [guests], users: [bob]}]}
          users:
            - {groups: [guests], download: {shape: 20M, police: 40M}, upload: {shape: 5M, police: 1000p}}
            - {weight: 4}
          tunnels:
            - {names: [dc1], weight: 10, send: {shape: 300M}, receive: {police: 400M}}

        """;

    [Fact]
    public void Every_key_is_read()
    {
        TrafficConfig traffic = ConfigText.Parse(ConfigText.Valid + Valid).Traffic!;
        Assert.Equal((1_000_000_000, 1_250_000), (traffic.Outside.BitsPerSecond, traffic.Outside.BurstBytes));
        Assert.Equal(new TrafficRate { BitsPerSecond = 500_000_000, BurstBytes = 125_000, PacketsPerSecond = 200_000, BurstPackets = 400 }, traffic.Inside);
        Assert.Equal((40, 10, 200, 8 << 20, 2000), (traffic.OverheadBytes, traffic.TargetMilliseconds, traffic.IntervalMilliseconds, traffic.TotalBytes, traffic.TotalPackets));
        // The class of all the rest is the last, wherever it stands.
        Assert.Equal(["voice", "bulk", "other"], traffic.Classes.Select(one => one.Name));
        TrafficClassConfig voice = traffic.Classes[0];
        Assert.Equal((0, 1, 65536, 50), (voice.Priority, voice.Weight, voice.QueueBytes, voice.QueuePackets));
        Assert.Equal((2_000_000, 100_000_000), (voice.Shape.BitsPerSecond, voice.Police.BitsPerSecond));
        Assert.Equal([46, 44], voice.Matches[0].Dscp);
        Assert.Equal(17, voice.Matches[1].Protocol);
        Assert.Equal([((ushort)5060, (ushort)5061), ((ushort)16384, (ushort)16384)], voice.Matches[1].Ports);
        Assert.Equal(["guests"], traffic.Classes[1].Matches[0].Groups);
        Assert.Equal(["bob"], traffic.Classes[1].Matches[0].Users);
        Assert.Equal((2, 4), (traffic.Classes[2].Weight, traffic.Classes[2].Priority));
        Assert.Equal((20_000_000, 40_000_000), (traffic.Users[0].Download.Shape.BitsPerSecond, traffic.Users[0].Download.Police.BitsPerSecond));
        Assert.Equal((5_000_000, 1_000), (traffic.Users[0].Upload.Shape.BitsPerSecond, traffic.Users[0].Upload.Police.PacketsPerSecond));
        Assert.Equal(4, traffic.Users[1].Weight);
        Assert.Equal((10, 300_000_000, 400_000_000), (traffic.Tunnels[0].Weight, traffic.Tunnels[0].Send.Shape.BitsPerSecond, traffic.Tunnels[0].Receive.Police.BitsPerSecond));
        Assert.Null(ConfigText.Parse(ConfigText.Valid).Traffic);
        Assert.Equal([TrafficClassConfig.DefaultName], ConfigText.Parse(ConfigText.Valid + "\ntraffic: {target: off}\n").Traffic!.Classes.Select(one => one.Name));
    }

    /// <summary>What is replaced in the valid section, by what, and a part of the message.</summary>
    public static TheoryData<string, string, string> Errors => new()
    {
        { "outside: 1G", "outside: fast", "write a rate in bits per second" },
        { "outside: 1G", "outside: 0", "write a rate in bits per second" },
        { "outside: 1G", "outside: 1G 2G", "write a rate in bits per second" },
        { "outside: 1G", "outside: 2000G", "write a rate in bits per second" },
        { "outside: 1G", "outside: 10ms", "write a rate in bits per second" },
        { "outside: 1G", "outsde: 1G", "did you mean \"outside\"?" },
        { "target: 10ms", "target: 300ms", "target must not be above interval" },
        { "target: 10ms", "target: soon", "write a time from 1ms to 10s" },
        { "totalBytes: 8M", "totalBytes: 8Q", "write a number of bytes" },
        { "priority: 6", "priority: 9", "write a whole number from 0 to 7" },
        { "[ef, 44]", "[eff, 44]", "write a code point from 0 to 63" },
        { "[ef, 44]", "[64]", "write a code point from 0 to 63" },
        { "5060-5061", "5061-5060", "write a port such as 443" },
        { "protocol: udp", "protocol: icmp", "ports are of tcp, udp or sctp" },
        { "protocol: udp", "protocol: 300", "a protocol's number from 0 to 255" },
        { "{dscp: [ef, 44]}", "{}", "write what matches" },
        { "name: bulk", "name: voice", "is there twice" },
        { "priority: 6, match: [{groups: [guests], users: [bob]}]", "priority: 6", "have no match" },
        { "queueBytes: 64k", "queueBytes: 100", "write a number of bytes" },
        { "names: [dc1]", "names: [dc7]", "there is neither an ESP tunnel nor a peer \"dc7\"" },
        { "- {groups: [guests], download", "- {download", "are never used: put it last" },
        { "groups: [guests], users: [bob]", "groups: [\"a:b\"]", "cannot be a group's name" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Errors_say_what_to_do(string what, string by, string message)
    {
        Assert.Contains(what, Valid, StringComparison.Ordinal);
        ConfigException error = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + Valid.Replace(what, by, StringComparison.Ordinal)));
        Assert.Contains(error.Errors, one => one.Message.Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("64k", 64_000, 0)]
    [InlineData("1.5M", 1_500_000, 0)]
    [InlineData("10G 5ms", 10_000_000_000, 0)]
    [InlineData("5000p", 0, 5_000)]
    [InlineData("10kp 1s", 0, 10_000)]
    public void Rates_are_read(string text, long bits, long packets)
    {
        Assert.True(TrafficValues.TryParseRate(text, out TrafficRate rate));
        Assert.Equal((bits, packets), (rate.BitsPerSecond, rate.PacketsPerSecond));
    }

    [Fact]
    public void Random_texts_are_rates_or_refused()
    {
        const string alphabet = "0123456789kMGpms. -+eu";
        var random = new Random(3);
        for (int i = 0; i < 200_000; i++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => alphabet[random.Next(alphabet.Length)])]);
            if (TrafficValues.TryParseRate(text, out TrafficRate rate))
                _ = new TokenBucket(rate, 1);
        }
    }

    [Fact]
    public void The_example_is_right_when_it_is_uncommented()
    {
        string[] lines = File.ReadAllLines(RepositoryRoot.PathOf("samples", "VpnBroker", "broker.example.yaml"));
        IEnumerable<string> section = lines.SkipWhile(line => line != "#traffic:").TakeWhile(line => line.StartsWith('#')).Select(line => line[1..]);
        TrafficConfig traffic = ConfigText.Parse(ConfigText.Valid + "\n" + string.Join('\n', section)).Traffic!;
        Assert.Equal(["voice", "normal"], traffic.Classes.Select(one => one.Name));
        Assert.Equal(500_000_000, Assert.Single(traffic.Tunnels).Receive.Police.BitsPerSecond);
    }

    [Theory]
    [InlineData("overhead: 40", "overhead: 41")]
    [InlineData("dscp: [ef, 44]", "dscp: [ef, 45]")]
    [InlineData("5060-5061", "5060-5062")]
    [InlineData("users: [bob]", "users: [eve]")]
    [InlineData("shape: 2M", "shape: 3M")]
    [InlineData("name: other, weight: 2", "name: other, weight: 3")]
    public void A_change_of_the_queues_needs_a_restart_and_says_so(string before, string after)
    {
        BrokerConfig old = ConfigText.Parse(ConfigText.Valid + Valid);
        Assert.Empty(RestartChecks.Differences(old, ConfigText.Parse(ConfigText.Valid + Valid)));
        Assert.Equal(["traffic (all but outside, inside, users, tunnels and the police of classes)"], RestartChecks.Differences(old, ConfigText.Parse(ConfigText.Valid + Valid.Replace(before, after, StringComparison.Ordinal))));
    }

    [Theory]
    [InlineData("outside: 1G", "outside: 2G")]
    [InlineData("inside: 500M 200000p 2ms", "")]
    [InlineData("police: 100M", "police: 90M")]
    [InlineData("upload: {shape: 5M", "upload: {shape: 6M")]
    [InlineData("{weight: 4}", "{weight: 5}")]
    [InlineData("police: 400M", "police: 401M")]
    public void A_change_of_limits_needs_none(string before, string after)
    {
        BrokerConfig changed = ConfigText.Parse(ConfigText.Valid + Valid.Replace(before, after, StringComparison.Ordinal));
        Assert.Empty(RestartChecks.Differences(ConfigText.Parse(ConfigText.Valid + Valid), changed));
    }
}
