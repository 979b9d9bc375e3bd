using CryptoPlane.Ike.Crypto;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public sealed class RemoteAccessConfigTests : IDisposable
{
    private const string Text = """
        authentication: {usersFile: users, ikeUsersFile: ike-users}
        defaults: {pool: staff, include: [10.20.0.0/16], exclude: [10.20.1.0/24]}
        pools: [{name: staff, ipv4: 10.77.0.0/16}]
        lcores: {count: 2}
        ipsec:
          listen: [192.0.2.1]
          remoteAccess:
            localId: broker.test
            certificateFile: broker.crt
            keyFile: broker.key
            userTrustFiles: [ca.crt]
            proposals: [aes256gcm16-prfsha384-ecp384]
            espProposals: [aes256gcm16-esn]
            encapsulation: auto
            dpd: 10s
            dpdTimeout: never
            lifetime: 2h
            espLifetime: 30m
            mobike: false
        """;

    private readonly TemporaryDirectory _directory = new();

    public RemoteAccessConfigTests() => new Interop.Ipsec.IpsecCertificates().WriteBroker(_directory.Path);

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void EverythingIsRead_AndNoTlsIsNeeded()
    {
        BrokerConfig config = Parse(Text);
        Assert.True(config is { Listen: null, HasUsers: true, Ipsec: { PlainEsp: true, Peers.Count: 0 } });
        Assert.Equal(_directory.File("ike-users"), config.Authentication!.IkeUsersFile);
        RemoteAccessConfig users = config.Ipsec!.RemoteAccess!;
        Assert.Equal(("broker.test", _directory.File("broker.crt"), _directory.File("ca.crt")),
            (users.LocalId.ToString(), users.Credentials.CertificateFile, Assert.Single(users.Credentials.TrustFiles)));
        Assert.Equal([new IkeSuite(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384)], users.Proposals);
        Assert.Equal([new EspSuite(EspCipher.Aes256Gcm16)], users.EspProposals);
        Assert.Equal((false, 10, 0, 7200, 1800, false),
            (users.ForceEncapsulation, users.DpdSeconds, users.DpdTimeoutSeconds, users.LifetimeSeconds, users.EspLifetimeSeconds, users.Mobike));
    }

    [Theory]
    [InlineData("    mobike: false", "    mobike: false\n    postQuantum: required", "P384+MlKem768")]
    [InlineData("    proposals: [aes256gcm16-prfsha384-ecp384]\n", "", "X25519+MlKem768 P384+MlKem768 X25519+MlKem768 P256+MlKem768 X25519 P384 X25519 P256")]
    [InlineData("    proposals: [aes256gcm16-prfsha384-ecp384]\n", "    postQuantum: off\n", "X25519 P384 X25519 P256")]
    public void WithoutProposals_MlKemIsForClientsThatOfferIt(string find, string replace, string expected)
    {
        IReadOnlyList<IkeSuite> proposals = Parse(Text.Replace(find, replace, StringComparison.Ordinal)).Ipsec!.RemoteAccess!.Proposals;
        Assert.Equal(expected.Split(' '), proposals.Select(suite => $"{suite.KeyExchange}{suite.Additional}"));
    }

    [Theory]
    [InlineData("localId: broker.test", "localId: vpn.example.net", "does not name localId, vpn.example.net")]
    [InlineData("localId: broker.test", "localId: \"a b\"", "domain name")]
    [InlineData("keyFile: broker.key", "keyFile: none", "the private key cannot be read")]
    [InlineData("keyFile: broker.key", "keyFile: ca.crt", "chmod 600")]
    [InlineData("certificateFile: broker.crt", "certificateFile: ca.crt", "the certificates cannot be used")]
    [InlineData("userTrustFiles: [ca.crt]", "userTrustFiles: [none]", "the certificates cannot be used")]
    [InlineData("    keyFile: broker.key\n", "", "keyFile")]
    [InlineData("espProposals: [aes256gcm16-esn]", "espProposals: []", "at least one of each")]
    [InlineData("aes256gcm16-prfsha384-ecp384", "aes256-sha1-modp1024", "write a cipher")]
    [InlineData("mobike: false", "mobik: false", "did you mean \"mobike\"")]
    [InlineData("  remoteAccess:", "  peers: []\n  remoteAcces:", "did you mean \"remoteAccess\"")]
    [InlineData("authentication: {usersFile: users, ikeUsersFile: ike-users}\n", "", "authentication")]
    [InlineData("defaults: {pool: staff, include: [10.20.0.0/16], exclude: [10.20.1.0/24]}\n", "", "defaults")]
    [InlineData("exclude: [10.20.1.0/24]", "exclude: [10.0.0.0/8]", "a user by IKEv2 would reach nothing")]
    public void WhatIsWrong_IsSaid(string right, string wrong, string message)
    {
        Assert.Contains(right, Text, StringComparison.Ordinal);
        ConfigException e = Assert.Throws<ConfigException>(() => Parse(Text.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void SomebodyMustBeAbleToLogIn()
    {
        string none = Text.Replace(", ikeUsersFile: ike-users", "", StringComparison.Ordinal);
        Assert.NotNull(Parse(none).Ipsec!.RemoteAccess);
        ConfigException e = Assert.Throws<ConfigException>(() => Parse(none.Replace("    userTrustFiles: [ca.crt]\n", "", StringComparison.Ordinal)));
        Assert.Contains("nobody could log in", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void NamesOfUsersConnections_AreNotThoseOfPeers()
    {
        File.WriteAllText(_directory.File("psk"), "0123456789abcdef");
        File.SetUnixFileMode(_directory.File("psk"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        string text = Text + """

              peers: [{name: users, remote: any, localId: a.test, remoteId: b.test, pskFile: psk, children: [{name: net, local: [10.1.0.0/16], remote: [10.2.0.0/16]}]}]
            """;
        Assert.Contains("that of remote users' connections", Assert.Throws<ConfigException>(() => Parse(text)).Message, StringComparison.Ordinal);
        Assert.Single(Parse(text.Replace("name: users,", "name: dc,", StringComparison.Ordinal)).Ipsec!.Peers);
    }

    [Fact]
    public void ItCanBeReloaded_ButNotComeOrGo()
    {
        BrokerConfig before = Parse(Text);
        Assert.Empty(RestartChecks.Differences(before, Parse(Text.Replace("dpd: 10s", "dpd: 20s", StringComparison.Ordinal))));
        Assert.Equal(["authentication"], RestartChecks.Differences(before, Parse(Text.Replace("ike-users", "others", StringComparison.Ordinal))));
        Assert.Contains("ipsec.remoteAccess (adding and removing it)", RestartChecks.Differences(before, ConfigText.Parse(ConfigText.Valid)));
    }

    private BrokerConfig Parse(string text) => ConfigLoader.Parse(_directory.File("broker.yaml"), text);
}
