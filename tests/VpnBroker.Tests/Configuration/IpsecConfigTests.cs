using System.Net;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.TestKit;
using VpnBroker.Configuration;
using VpnBroker.Configuration.Yaml;
using VpnBroker.Hosting;

namespace VpnBroker.Tests.Configuration;

public sealed class IpsecConfigTests : IDisposable
{
    private const string Section = """
        ipsec:
          listen: [192.0.2.1, "2001:db8::1"]
          maximumChildren: 100
          insecureKeyLog: true
          peers:
            - name: dc1
              remote: 198.51.100.1
              localId: vpn.example.net
              remoteId: "*.dc.example.net"
              pskFile: psk
              proposals: [aes128gcm16-prfsha256-ecp256, aes256gcm16-prfsha384-x25519]
              encapsulation: auto
              dpd: never
              dpdTimeout: 10s
              lifetime: 2h
              perLcore: true
              priority: 5
              weight: 3
              start: true
              mobike: false
              mtu: 1380
              children:
                - name: net
                  local: [10.77.0.0/16]
                  remote: [10.40.0.0/16, "fd00:40::/64"]
                  proposals: [aes128gcm16-x25519-noesn, chacha20poly1305]
                  lifetime: 20m
                  lifetimePackets: 1000000
                  lifetimeBytes: 1000000000
        """;

    private readonly TemporaryDirectory _directory = new();

    public IpsecConfigTests() => WriteSecret("psk", "0123456789abcdef0123456789abcdef");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("aes128-sha256", EspCipher.Aes128CbcHmacSha256, KeyExchangeMethod.None, 2)]
    [InlineData("aes256-sha256-x25519-noesn", EspCipher.Aes256CbcHmacSha256, KeyExchangeMethod.X25519, 1)]
    [InlineData("aes256gcm16-ecp256", EspCipher.Aes256Gcm16, KeyExchangeMethod.P256, 2)]
    public void EspProposals_NameACipherAndMaybeAnExchange(string text, EspCipher cipher, KeyExchangeMethod exchange, int suites)
    {
        IReadOnlyList<EspSuite> proposals = Parse(Section.Replace("aes128gcm16-x25519-noesn, chacha20poly1305", text, StringComparison.Ordinal)).Ipsec!.Peers[0].Children[0].Proposals;
        Assert.Equal(suites, proposals.Count);
        Assert.All(proposals, suite => Assert.Equal((cipher, exchange), (suite.Cipher, suite.KeyExchange)));
    }

    [Theory]
    [InlineData("", "P256 X25519")]
    [InlineData("postQuantum: off", "P256 X25519")]
    [InlineData("postQuantum: preferred", "P256+MlKem768 X25519+MlKem768 P256 X25519")]
    [InlineData("postQuantum: required", "P256+MlKem768 X25519+MlKem768")]
    public void PostQuantum_AddsMlKemToIkesProposals_AndKeepsThemOrNot(string line, string expected)
    {
        IReadOnlyList<IkeSuite> proposals = Parse(Section.Replace("      priority: 5\n", $"      priority: 5\n      {line}\n", StringComparison.Ordinal)).Ipsec!.Peers[0].Proposals;
        Assert.Equal(expected.Split(' '), proposals.Select(suite => $"{suite.KeyExchange}{suite.Additional}"));
    }

    [Theory]
    [InlineData("aes256gcm16-prfsha384-x25519-ke1_mlkem768", "X25519+MlKem768")]
    [InlineData("aes256gcm16-prfsha384-x25519-ke1_ecp384-ke3_mlkem768", "X25519+P384+3:MlKem768")]
    public void FurtherKeyExchanges_AreWrittenAsStrongSwanDoes(string text, string expected)
    {
        IpsecPeerConfig peer = Parse(Section.Replace("aes256gcm16-prfsha384-x25519", text, StringComparison.Ordinal)
            .Replace("aes128gcm16-x25519-noesn", $"aes128gcm16-{text[22..]}-noesn", StringComparison.Ordinal)).Ipsec!.Peers[0];
        Assert.EndsWith($"/{expected}", peer.Proposals[1].ToString(), StringComparison.Ordinal);
        Assert.Equal($"Aes128Gcm16/{expected}", peer.Children[0].Proposals[0].ToString());
    }

    [Theory]
    [InlineData("aes128")]
    [InlineData("aes128-sha384")]
    [InlineData("aes128gcm16-sha256")]
    [InlineData("sha256")]
    [InlineData("aes128-sha256-x25519-esn-noesn")]
    public void EspProposals_OfNoKnownNames_SayWhatThereIs(string text)
    {
        var error = Assert.Throws<ConfigException>(() => Parse(Section.Replace("aes128gcm16-x25519-noesn, chacha20poly1305", text, StringComparison.Ordinal)));
        Assert.Contains("write a cipher (aes128gcm16, aes256gcm16, chacha20poly1305, aes128-sha256, aes256-sha256)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void EverythingIsRead()
    {
        IpsecConfig ipsec = Parse(Section).Ipsec!;
        Assert.Equal(["192.0.2.1", "2001:db8::1"], ipsec.Listen.Select(address => address.ToString()));
        Assert.Equal((100, true), (ipsec.MaximumChildren, ipsec.PlainEsp));
        Assert.True(ipsec.InsecureKeyLog);
        IpsecPeerConfig peer = Assert.Single(ipsec.Peers);
        Assert.Equal(("dc1", IPNetwork.Parse("198.51.100.1/32"), "vpn.example.net", "*.dc.example.net"), (peer.Name, peer.Remote!.Value, peer.LocalId.ToString(), peer.RemoteId.ToString()));
        Assert.Equal([new IkeSuite(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.P256), new IkeSuite(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519)],
            peer.Proposals);
        Assert.Equal((false, 0, 10, 7200, true, 5, true, false, 1380), (peer.ForceEncapsulation, peer.DpdSeconds, peer.DpdTimeoutSeconds, peer.LifetimeSeconds, peer.PerLcore, peer.Priority, peer.Start, peer.Mobike, peer.Mtu));
        Assert.Equal((3, 1), (peer.Weight, Parse(Section.Replace("weight: 3", "", StringComparison.Ordinal)).Ipsec!.Peers[0].Weight));
        IpsecChildConfig child = Assert.Single(peer.Children);
        Assert.Equal([IPNetwork.Parse("10.40.0.0/16"), IPNetwork.Parse("fd00:40::/64")], child.Remote);
        Assert.Equal(
            [new EspSuite(EspCipher.Aes128Gcm16, false, KeyExchangeMethod.X25519), new EspSuite(EspCipher.ChaCha20Poly1305), new EspSuite(EspCipher.ChaCha20Poly1305, false)], child.Proposals);
        Assert.Equal((1200, 1_000_000L, 1_000_000_000L), (child.LifetimeSeconds, child.LifetimePackets, child.LifetimeBytes));
    }

    [Theory]
    [InlineData("remote: 198.51.100.1", "remote: any", "start needs the peer's address")]
    [InlineData("remote: 198.51.100.1", "remote: 198.51.100.0/24", "start needs a single address")]
    [InlineData("remote: 198.51.100.1", "remote: nowhere", "is no address")]
    [InlineData("remote: 198.51.100.1", "remote: 198.51.100.1\n      local: 192.0.2.9", "is none of ipsec.listen")]
    [InlineData("listen: [192.0.2.1, \"2001:db8::1\"]", "listen: [0.0.0.0]", "is no address of the broker's")]
    [InlineData("listen: [192.0.2.1, \"2001:db8::1\"]", "listen: []", "write the broker's own outer addresses")]
    [InlineData("listen: [192.0.2.1, \"2001:db8::1\"]", "listen: [192.0.2.1, 192.0.2.2]", "has several addresses")]
    [InlineData("pskFile: psk", "pskFile: open", "chmod 600")]
    [InlineData("pskFile: psk", "pskFile: short", "at least 16")]
    [InlineData("pskFile: psk", "pskFile: none", "cannot be read")]
    [InlineData("pskFile: psk", "local: 192.0.2.1", "say how both sides authenticate")]
    [InlineData("pskFile: psk", "pskFile: psk\n      certificateFile: c.pem", "say how both sides authenticate")]
    [InlineData("pskFile: psk", "certificateFile: c.pem", "all of certificateFile, keyFile and trustFiles")]
    [InlineData("aes128gcm16-prfsha256-ecp256", "aes128-sha1-modp1024", "write a cipher")]
    [InlineData("aes128gcm16-x25519-noesn", "aes128gcm16-modp", "write a cipher")]
    [InlineData("aes128gcm16-x25519-noesn", "aes128gcm16-ke1_mlkem768", "write a cipher")]
    [InlineData("aes128gcm16-x25519-noesn", "aes128gcm16-x25519-ke1_x25519", "each is another method")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-mlkem768", "write a cipher")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519-ke1_mlkem1024", "ke1_ to ke7_")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519-ke1_mlkem768-ke2_mlkem768", "each is another method")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519-ke2_mlkem768-ke1_ecp384", "ascending order")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519-ke8_mlkem768", "ke1_ to ke7_")]
    [InlineData("aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519-ke1_mlkem768-", "ke1_ to ke7_")]
    [InlineData("mobike: false", "postQuantum: yes", "preferred")]
    [InlineData("aes256gcm16-prfsha384-x25519]", "aes256gcm16-prfsha384-x25519-ke1_mlkem768]\n      postQuantum: preferred", "leave postQuantum out")]
    [InlineData("localId: vpn.example.net", "localId: \"a b\"", "domain name")]
    [InlineData("remoteId: \"*.dc.example.net\"", "remoteId: \"a*\"", "domain name")]
    [InlineData("remote: [10.40.0.0/16, \"fd00:40::/64\"]", "remote: [10.77.1.0/24]", "takes addresses of pool")]
    [InlineData("remote: [10.40.0.0/16, \"fd00:40::/64\"]", "remote: []", "write the prefixes on both sides")]
    [InlineData("weight: 3", "weight: 0", "write a whole number from 1 to 100")]
    [InlineData("weight: 3", "weight: 101", "write a whole number from 1 to 100")]
    [InlineData("weight: 3", "weight: heavy", "write a whole number")]
    [InlineData("mtu: 1380", "mtuu: 1380", "did you mean \"mtu\"")]
    [InlineData("lifetime: 20m", "lifetime: never", "write a time")]
    public void WhatIsWrong_IsSaid(string right, string wrong, string message)
    {
        WriteSecret("short", "too short");
        File.WriteAllText(_directory.File("open"), "0123456789abcdef");
        File.SetUnixFileMode(_directory.File("open"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.Contains(right, Section, StringComparison.Ordinal);
        ConfigException e = Assert.Throws<ConfigException>(() => Parse(Section.Replace(right, wrong, StringComparison.Ordinal)));
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void CertificatesAreReadAndTried()
    {
        var certificates = new Interop.Ipsec.IpsecCertificates();
        certificates.WriteBroker(_directory.Path);
        string section = Section.Replace("pskFile: psk", "certificateFile: broker.crt\n      keyFile: broker.key\n      trustFiles: [ca.crt]", StringComparison.Ordinal);
        Assert.Equal(_directory.File("broker.crt"), Parse(section).Ipsec!.Peers[0].Credentials.CertificateFile);
        // Another certificate's key.
        ConfigException e = Assert.Throws<ConfigException>(() => Parse(section.Replace("certificateFile: broker.crt", "certificateFile: ca.crt", StringComparison.Ordinal)));
        Assert.Contains("the certificates cannot be used", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DpdkPort_NeedsAnExceptionTapForIke()
    {
        const string port = """
            dpdk: {memory: ordinaryPages, ports: [{name: wan, device: "net_af_packet0,iface=eth0", role: outside, addresses: [192.0.2.1/24], exceptionTap: wan0}]}
            """;
        Assert.Single(Parse($"{Section}\n{port}").Ipsec!.Peers);
        ConfigException e = Assert.Throws<ConfigException>(() => Parse($"{Section}\n{port.Replace(", exceptionTap: wan0", "", StringComparison.Ordinal)}"));
        Assert.Contains("192.0.2.1 is a DPDK port's, by whose exceptionTap IKE reaches the broker", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PeersCanBeReloaded_AddressesCannot()
    {
        BrokerConfig before = Parse(Section);
        Assert.Empty(RestartChecks.Differences(before, Parse(Section.Replace("priority: 5", "priority: 6", StringComparison.Ordinal))));
        Assert.Equal(["ipsec (all but peers)"], RestartChecks.Differences(before, Parse(Section.Replace("listen: [192.0.2.1,", "listen: [192.0.2.2,", StringComparison.Ordinal))));
        Assert.Equal(["ipsec (all but peers)"], RestartChecks.Differences(before, Parse("")));
    }

    [Fact]
    public void TheSectionThatTheExampleShowsAsAComment_IsValid()
    {
        string[] lines = File.ReadAllLines(RepositoryRoot.PathOf("samples", "VpnBroker", "broker.example.yaml"));
        IEnumerable<string> section = lines.SkipWhile(line => line != "#ipsec:").TakeWhile(line => line.StartsWith('#')).Select(line => line[1..]);
        new Interop.Ipsec.IpsecCertificates().WriteBroker(_directory.Path);
        string text = string.Join('\n', section).Replace("/etc/cryptoplane/dc2.psk", _directory.File("psk"), StringComparison.Ordinal)
            .Replace("/etc/cryptoplane/ike.", _directory.File("broker."), StringComparison.Ordinal)
            .Replace("/etc/cryptoplane/users-root.crt", _directory.File("ca.crt"), StringComparison.Ordinal)
            .Replace("    localId: vpn.example.net    # who the broker says to be; the", "    localId: broker.test # the", StringComparison.Ordinal);
        IpsecConfig ipsec = Parse(text).Ipsec!;
        Assert.Equal((2, 2, 30, true), (ipsec.RemoteAccess!.Proposals.Count, ipsec.RemoteAccess.EspProposals.Count / 2, ipsec.RemoteAccess.DpdTimeoutSeconds, ipsec.RemoteAccess.Mobike));
        Assert.Equal((4, 1_000_000_000_000L), (Assert.Single(ipsec.Peers).Children[0].Proposals.Count, ipsec.Peers[0].Children[0].LifetimeBytes));
    }

    private BrokerConfig Parse(string section) => ConfigLoader.Parse(_directory.File("broker.yaml"), ConfigText.Valid + "\n" + section);

    private void WriteSecret(string name, string text)
    {
        File.WriteAllText(_directory.File(name), text + "\n");
        File.SetUnixFileMode(_directory.File(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
