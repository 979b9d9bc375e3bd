using System.Net;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;

namespace VpnBroker.Tests.Configuration;

public class ConfigLoaderTests
{
    [Fact]
    public void The_example_file_is_valid()
    {
        string path = RepositoryRoot.PathOf("samples", "VpnBroker", "broker.example.yaml");
        BrokerConfig config = ConfigLoader.Load(path);
        Assert.Equal(2, config.Lcores.Count);
        Assert.Equal(new IPEndPoint(IPAddress.IPv6Any, 443), config.Listen!.Endpoints[1]);
        Assert.Equal("dc1", config.Esp!.Tunnels.Single().Name);
        Assert.Equal(7 * 86400, config.Groups[0].Profile.SessionSeconds);
    }

    [Fact]
    public void Values_arrive_where_they_belong()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid);
        Assert.Equal("/etc/test/users", config.Authentication!.UsersFile);
        Assert.Equal(IPNetwork.Parse("10.77.0.0/16"), config.Pools[0].IPv4);
        Assert.Equal(30, config.DefaultProfile!.DpdSeconds);
        ProfileConfig guests = config.Groups.Single().Profile;
        Assert.Equal("guests", guests.Pool);
        Assert.Equal(1800, guests.IdleSeconds);
        Assert.Equal(config.DefaultProfile.Include, guests.Include);
        EspSaPairConfig pair = config.Esp!.Tunnels[0].Pairs[1];
        Assert.Equal(0x02000001u, pair.Inbound.Spi);
        Assert.Equal(Convert.FromHexString("606162636465666768696a6b6c6d6e6f"), pair.Outbound.Key.Key.ToArray());
        Assert.True(pair.Outbound.Esn);
    }

    [Fact]
    public void Roaming_is_for_those_groups_that_say_so()
    {
        BrokerConfig config = ConfigText.Parse(ConfigText.Valid.Replace("idleTime: 30m", "roaming: true", StringComparison.Ordinal));
        Assert.True(config.Groups.Single().Profile.Roaming);
        Assert.False(config.DefaultProfile!.Roaming);
    }

    [Theory]
    [InlineData("", null)]
    [InlineData(", certificates: {trustFiles: [a.crt, /b.crt], use: second-factor}", false)]
    [InlineData(", certificates: {trustFiles: [a.crt, /b.crt], use: instead-of-password}", true)]
    public void Users_are_asked_for_certificates_where_the_configuration_says_so(string key, bool? instead)
    {
        UserCertificateConfig? config = ConfigText.Parse(ConfigText.Valid.Replace("usersFile: users", "usersFile: users" + key, StringComparison.Ordinal)).Authentication!.Certificates;
        Assert.Equal(instead, config?.InsteadOfPassword);
        if (config is not null)
            Assert.Equal(["/etc/test/a.crt", "/b.crt"], config.TrustFiles);
    }

    [Fact]
    public void Certificates_need_roots_and_say_what_they_are_for()
    {
        foreach ((string value, string message) in new[]
        {
            ("{trustFiles: [], use: second-factor}", "at least one PEM file"),
            ("{use: second-factor}", "trustFiles"),
            ("{trustFiles: [a.crt]}", "use"),
            ("{trustFiles: [a.crt], use: always}", "instead-of-password"),
            ("{trustFiles: [a.crt], use: second-factor, name: mail}", "there is no such key"),
        })
        {
            string text = ConfigText.Valid.Replace("usersFile: users", "usersFile: users, certificates: " + value, StringComparison.Ordinal);
            Assert.Contains(message, Assert.Throws<ConfigException>(() => ConfigText.Parse(text)).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("capture: {}", false)]
    [InlineData("capture: {decrypted: refused}", false)]
    [InlineData("capture: {decrypted: allowed}", true)]
    public void Users_traffic_is_shown_only_where_the_configuration_says_so(string section, bool allowed) =>
        Assert.Equal(allowed, ConfigText.Parse(ConfigText.Valid + "\n" + section).CaptureDecrypted);

    /// <summary>What is replaced in the valid file, by what, the line of the error, and a part of the message.</summary>
    public static TheoryData<string, string, int, string> Errors => new()
    {
        { "limits: {halfOpen: 100}", "limits: {halfopen: 100}", 16, "limits.halfopen: there is no such key; did you mean \"halfOpen\"?" },
        { "limits: {halfOpen: 100}", "limits: {banana: 100}", 16, "known here: halfOpen" },
        { "limits: {halfOpen: 100}", "limits: {halfOpen: many}", 16, "write a whole number from 1 to 1000000" },
        { "limits: {halfOpen: 100}", "limits: {halfOpen: \"100\"}", 16, "without quotes" },
        { "limits: {halfOpen: 100}", "limits: {halfOpen: 0}", 16, "write a whole number" },
        { "limits: {halfOpen: 100}", "limits: {halfOpen: [1]}", 16, "write a whole number" },
        { "limits: {halfOpen: 100}", "limits: 100", 16, "write keys with values below this one" },
        { "limits: {halfOpen: 100}", "limits: {loginTime: never}", 16, "write a time such as 30s" },
        { "limits: {halfOpen: 100}", "capture: {decrypted: true}", 16, "allowed" },
        { "limits: {halfOpen: 100}", "capture: {encrypted: allowed}", 16, "there is no such key" },
        { "dpd: 30s", "dpd: 30", 8, "write a time such as 30s" },
        { "dpd: 30s", "dpd: -5s", 8, "write a time such as 30s" },
        { "dpd: 30s", "tunnelAllDns: yes", 8, "write true or false" },
        { "dpd: 30s", "dns: [10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4]", 8, "clients take 3 servers" },
        { "dpd: 30s", "dns: [10.1]", 8, "is no address" },
        { "dpd: 30s", "defaultDomain: \"a b\"", 8, "without spaces" },
        { "mtu: 1400", "mtu: 1200", 5, "need an mtu of at least 1280" },
        { "mtu: 1400", "mtu: 9000", 5, "with several lcores an mtu is at most 1915" },
        { "name: broker0,", "name: broker0, mtu: 1916,", 18, "with several lcores an mtu is at most 1915" },
        { "mode: udp", "mode: udp\n      mtu: 9000", 20, "with several lcores an mtu is at most 1915" },
        { "pool: staff", "pool: stuff", 5, "there is no pool \"stuff\"" },
        { "include: [10.20.0.0/16]", "include: [10.20.0.1/16]", 7, "has bits set behind the prefix length: write 10.20.0.0/16" },
        { "include: [10.20.0.0/16]", "include: [10.20/16]", 7, "is no prefix" },
        { "include: [10.20.0.0/16]", "include: [10.20.0.0/33]", 7, "is no prefix" },
        { "include: [10.20.0.0/16]", "include: 10.20.0.0/16", 7, "write a list" },
        { "[\"127.0.0.1:4433\"]", "[\"127.0.0.1\"]", 1, "is no endpoint" },
        { "[\"127.0.0.1:4433\"]", "[\"::1:443\"]", 1, "is no endpoint" },
        { "[\"127.0.0.1:4433\"]", "[\"127.0.0.1:443\", \"127.0.0.1:443\"]", 1, "is there twice" },
        { "authentication: {usersFile: users}", "authentication: {}", 3, "authentication.usersFile: this key is missing" },
        { "authentication: {usersFile: users}", "", 1, "authentication: this key is missing" },
        { "selfSigned: true, names: [vpn.test]", "selfSigned: true", 2, "needs names" },
        { "ipv4: 10.78.0.0/24", "ipv4: 10.77.4.0/24", 14, "overlaps 10.77.0.0/16 of pool \"staff\"" },
        { "ipv4: 10.78.0.0/24", "ipv6: 10.78.0.0/24", 15, "a prefix of the other family" },
        { "ipv4: 10.78.0.0/24", "ipv4: 10.78.0.0/31", 14, "too small to be cut into parts for 2 lcores" },
        { "name: guests, ipv4", "name: staff, ipv4", 14, "the name \"staff\" is there twice" },
        { "count: 2, idle", "count: 2, cpus: [0], idle", 17, "not both" },
        { "count: 2, idle", "cpus: [1, 1], idle", 17, "each once" },
        { "idle: adaptive", "idle: lazy", 17, "write one of: busy, adaptive, blocking" },
        { "name: broker0", "name: averylonginterfacename", 18, "interface name of 1 to 15" },
        { "insecureStaticKeys: true", "insecureStaticKeys: false", 20, "RFC 8221" },
        { "insecureStaticKeys: true\n", "\n", 21, "insecureStaticKeys: true" },
        { "inbound: {spi: 0x02000001", "inbound: {spi: 0x01000002", 20, "must begin with 0x02, which steers it to lcore 1" },
        { "inbound: {spi: 0x02000001", "inbound: {spi: 255", 33, "write a whole number from 256" },
        { "lcore: 1", "lcore: 0", 20, "lcore 0 has two pairs" },
        { "lcore: 1", "lcore: 5", 20, "there is no lcore 5" },
        { "count: 2, idle", "count: 3, idle", 20, "lcore 2 has no pair" },
        { "key: 606162636465666768696a6b6c6d6e6f", "key: 000102030405060708090a0b0c0d0e0f", 20, "has the key of the inbound SA of tunnel \"dc1\", lcore 0" },
        { "key: 606162636465666768696a6b6c6d6e6f", "key: 6061", 34, "32 hexadecimal digits" },
        { "salt: 70717273", "salt: 7071727", 34, "8 hexadecimal digits" },
        { "salt: 10111213}", "salt: 10111213, replayWindow: 100}", 30, "a power of two" },
        { "remotePrefixes: [10.30.0.0/16]", "remotePrefixes: [10.77.8.0/24]", 20, "takes addresses of pool \"staff\" away" },
        { "remote: 198.51.100.7:4500", "remote: \"[2001:db8::1]:4500\"", 23, "of different families" },
        { "mode: udp", "mode: raw", 25, "is no address" },
        { "level: warning", "level: loud", 36, "write one of: debug" },
        { "tun: {", "tun: &x {", 18, "anchors and aliases are not supported" },
        { "listen:", "[", 2, "not valid YAML" },
        { "log: {level", "limits: {level", 36, "not valid YAML" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void Errors_name_the_line_and_what_to_do(string old, string replacement, int line, string message)
    {
        Assert.Contains(old, ConfigText.Valid, StringComparison.Ordinal);
        var error = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid.Replace(old, replacement, StringComparison.Ordinal)));
        ConfigError? found = error.Errors.FirstOrDefault(candidate => candidate.ToString().Contains(message, StringComparison.Ordinal));
        Assert.True(found is not null, $"\"{message}\" is not in:\n{error.Message}");
        Assert.Equal(line, found.Line);
    }

    [Fact]
    public void All_errors_of_a_file_are_reported_together()
    {
        var error = Assert.Throws<ConfigException>(() => ConfigText.Parse("listen: [x]\nlimits: {a: 1}\ntun: 3\n"));
        Assert.Contains(error.Errors, e => e.Line == 1);
        Assert.Contains(error.Errors, e => e.Line == 2);
        Assert.Contains(error.Errors, e => e.Line == 3);
    }

    [Fact]
    public void A_file_that_does_nothing_is_refused() =>
        Assert.Contains("nothing to do", Assert.Throws<ConfigException>(() => ConfigText.Parse("lcores: {count: 1}")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_missing_file_is_an_error_that_says_so() =>
        Assert.Contains("cannot be read", Assert.Throws<ConfigException>(() => ConfigLoader.Load("/nonexistent/broker.yaml")).Message, StringComparison.Ordinal);

    [Fact]
    public void A_key_file_that_others_read_is_refused_and_a_private_one_is_used()
    {
        using var directory = new TemporaryDirectory();
        string path = directory.File("sa.key");
        File.WriteAllText(path, "606162636465666768696a6b6c6d6e6f70717273\n");
        string text = ConfigText.Valid.Replace("key: 606162636465666768696a6b6c6d6e6f, salt: 70717273", $"keyFile: {path}", StringComparison.Ordinal);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Assert.Contains("chmod 600", Assert.Throws<ConfigException>(() => ConfigText.Parse(text)).Message, StringComparison.Ordinal);
        File.SetUnixFileMode(path, UnixFileMode.UserRead);
        EspKey key = ConfigText.Parse(text).Esp!.Tunnels[0].Pairs[1].Outbound.Key;
        Assert.Equal("70717273", Convert.ToHexString(key.Salt));
        Assert.Equal(ConfigText.Parse(ConfigText.Valid).Esp!.Tunnels[0].Pairs[1].Outbound.Key.Fingerprint, key.Fingerprint);
    }
}
