using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public class DtlsConfigTests
{
    [Fact]
    public void Users_are_offered_DTLS_on_the_port_of_TLS_unless_the_file_says_otherwise()
    {
        BrokerConfig standard = ConfigText.Parse(ConfigText.Valid);
        Assert.Equal((true, null), (standard.OffersDtls, standard.Dtls.Port));
        Assert.Equal(8443, ConfigText.Parse(ConfigText.Valid + "\ndtls: {port: 8443}\n").Dtls.Port);
        BrokerConfig without = ConfigText.Parse(ConfigText.Valid + "\ndtls: {enabled: false}\n");
        Assert.False(without.OffersDtls);
        Assert.Equal(["dtls"], RestartChecks.Differences(standard, without));
    }

    [Theory]
    [InlineData("dtls: {port: 0}", "dtls.port")]
    [InlineData("dtls: {port: 70000}", "dtls.port")]
    [InlineData("dtls: {enabled: maybe}", "dtls.enabled")]
    [InlineData("dtls: {mtu: 1300}", "dtls")]
    public void What_is_wrong_is_named(string text, string key)
    {
        ConfigException error = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + "\n" + text + "\n"));
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_ports_of_IPsec_are_not_for_users()
    {
        using var directory = new TemporaryDirectory();
        File.WriteAllText(directory.File("psk"), "a secret of the two gateways\n");
        File.SetUnixFileMode(directory.File("psk"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string ipsec = $"\nipsec: {{listen: [192.0.2.1], peers: [{{name: dc2, remote: 198.51.100.9, localId: a.test, remoteId: b.test, pskFile: {directory.File("psk")}, "
            + "children: [{name: net, local: [10.77.0.0/16], remote: [10.40.0.0/16]}]}]}\n";
        ConfigException error = Assert.Throws<ConfigException>(() => ConfigText.Parse(ConfigText.Valid + ipsec + "dtls: {port: 4500}\n"));
        Assert.Contains("IPsec's", error.Message, StringComparison.Ordinal);
    }
}
