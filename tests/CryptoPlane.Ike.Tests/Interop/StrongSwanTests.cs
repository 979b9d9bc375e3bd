using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>strongSwan as initiator and as responder: both sides' child keys agree through every rekey.</summary>
public sealed class StrongSwanTests : IDisposable
{
    private static readonly IPAddress s_ours = IPAddress.Parse("10.99.0.1"), s_theirs = IPAddress.Parse("10.99.0.2");
    private readonly NetworkNamespace _near = new("near"), _far = new("far");
    private StrongSwan? _swan;
    private EndpointDriver? _driver;

    public StrongSwanTests()
    {
        _near.Connect(_far, "near0", "10.99.0.1/24", "far0", "10.99.0.2/24");
        // strongSwan makes a route for what it protects, from an address of its own within it.
        _far.AddAddress("lo", "10.55.0.1/24");
    }

    public void Dispose()
    {
        _driver?.Dispose();
        _swan?.Dispose();
        _near.Dispose();
        _far.Dispose();
    }

    [Theory]
    [InlineData("aes128gcm16-prfsha256-x25519", "aes128gcm16")]
    [InlineData("aes256gcm16-prfsha384-ecp384", "aes256gcm16-ecp256")]
    public void StrongSwan_begins_rekeys_everything_and_ends(string ike, string esp)
    {
        Start(ike, esp);
        _driver!.While(() => _swan!.TrySwanctl("--initiate", "--child", "net"));
        AssertKeysAgree(1);
        Assert.Equal("strongswan.example", _driver.Peer.Single<IkeSaEstablished>().RemoteId.ToString());
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--child", "net"));
        AssertKeysAgree(2);
        ulong before = Assert.Single(_driver.Peer.IkeSas);
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--ike", "peer"));
        _driver.Until(() => _driver.Peer.IkeSas.Count == 1 && !_driver.Peer.IkeSas.Contains(before), "one new IKE SA");
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--child", "net"));
        AssertKeysAgree(3);
        _driver.While(() => _swan!.TrySwanctl("--terminate", "--ike", "peer"));
        _driver.Until(() => _driver.Peer.IkeSas.Count == 0, "the IKE SA's end");
        Assert.Empty(_driver.Peer.Installed);
        Assert.Empty(_driver.Peer.Spis.Used);
    }

    [Theory]
    [InlineData("aes128gcm16-prfsha256-ecp256", "aes128gcm16")]
    [InlineData("aes256gcm16-prfsha512-x25519", "aes256gcm16-x25519")]
    public void We_begin_rekey_everything_and_end(string ike, string esp)
    {
        Start(ike, esp);
        _driver!.Peer.Endpoint.Initiate("c", EndpointDriver.Now);
        AssertKeysAgree(1);
        _driver.Peer.Endpoint.Rekey("c", ikeSa: false, EndpointDriver.Now);
        AssertKeysAgree(2);
        ulong before = Assert.Single(_driver.Peer.IkeSas);
        _driver.Peer.Endpoint.Rekey("c", ikeSa: true, EndpointDriver.Now);
        _driver.Until(() => _driver.Peer.IkeSas.Count == 1 && !_driver.Peer.IkeSas.Contains(before), "one new IKE SA");
        _driver.Peer.Endpoint.Rekey("c", ikeSa: false, EndpointDriver.Now);
        AssertKeysAgree(3);
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--child", "net"));
        AssertKeysAgree(4);
        _driver.Peer.Endpoint.Terminate("c", EndpointDriver.Now);
        _driver.Until(() => _driver.Peer.Endpoint.NextTimeout > EndpointDriver.Now + 5_000 && !_swan!.Swanctl("--list-sas").Contains("ESTABLISHED", StringComparison.Ordinal),
            "strongSwan to have deleted the IKE SA");
        Assert.Empty(_driver.Peer.Installed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Certificates_with_a_chain_go_in_fragments(bool weBegin)
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        using X509Certificate2 root = Issue("CN=Root", null, true, now, null), middle = Issue("CN=Middle", root, true, now, null),
            ours = Issue("CN=We", middle, false, now, "we.example"), theirs = Issue("CN=They", middle, false, now, "strongswan.example");
        Start("aes256gcm16-prfsha384-x25519", "aes256gcm16", new IkeCertificate(ours, [middle]), new IkeCertificateTrust([root]), "pubkey", fragments: 600, credentials: directory =>
        {
            File.WriteAllText(Path.Combine(directory, "x509", "peer.pem"), theirs.ExportCertificatePem());
            File.WriteAllText(Path.Combine(directory, "x509ca", "root.pem"), root.ExportCertificatePem());
            File.WriteAllText(Path.Combine(directory, "x509ca", "middle.pem"), middle.ExportCertificatePem());
            using ECDsa key = theirs.GetECDsaPrivateKey()!;
            File.WriteAllText(Path.Combine(directory, "private", "peer.pem"), key.ExportPkcs8PrivateKeyPem());
        });
        if (weBegin)
            _driver!.Peer.Endpoint.Initiate("c", EndpointDriver.Now);
        else
            _driver!.While(() => _swan!.TrySwanctl("--initiate", "--child", "net"));
        AssertKeysAgree(1);
        Assert.Contains("fragment", _swan!.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_lcore_has_its_share_of_the_addresses_with_a_gateway_that_knows_nothing_of_lcores()
    {
        Start("aes128gcm16-prfsha256-x25519", "aes128gcm16", lcores: 2);
        _driver!.Peer.Endpoint.Initiate("c", EndpointDriver.Now);
        _driver.Until(() => _driver.Peer.Active.Count == 3 && _swan!.ChildKeys().Count == 3, "three child SAs");
        Assert.Equal("10.77.0.0/16", Assert.Single(_driver.Peer.Outbound()!.LocalSelectors).ToString());
        Assert.Equal("10.77.0.0/17", Assert.Single(_driver.Peer.Outbound(resource: 0)!.LocalSelectors).ToString());
        Assert.Equal("10.77.128.0/17", Assert.Single(_driver.Peer.Outbound(resource: 1)!.LocalSelectors).ToString());
        Assert.Equal(_swan!.ChildKeys().Select(keys => keys.Initiator).Order(),
            _driver.Peer.Installed.Values.Select(child => Convert.ToHexString(child.Keys.InitiatorEncryption)).Order());
        // strongSwan rekeys them by name, all three; each stays its lcore's.
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--child", "net"));
        _driver.Until(() => _driver.Peer.Events.OfType<ChildSaInstalled>().Count() == 6 && _driver.Peer.Installed.Count == 3, "three others");
        Assert.Equal([null, 0, 1], _driver.Peer.Active.Select(spi => _driver.Peer.Installed[spi].Resource).Order());
    }

    [Fact]
    public void A_NAT_between_us_is_found_and_gone_through()
    {
        using NetworkNamespace inside = new("inside");
        inside.Connect(_near, "inside0", "192.168.7.2/24", "near1", "192.168.7.1/24");
        inside.Ip("route add default via 192.168.7.1");
        _near.Run(Requirement.Program("sysctl", "procps"), ["-qw", "net.ipv4.ip_forward=1"]).EnsureSuccess();
        _near.Run(Requirement.Program("nft", "nftables"), ["-f", "-"],
            "table ip nat { chain out { type nat hook postrouting priority 100; oifname near0 masquerade; }\n}\n").EnsureSuccess();
        Start("aes128gcm16-prfsha256-x25519", "aes128gcm16", within: inside, address: IPAddress.Parse("192.168.7.2"));
        _driver!.Peer.Endpoint.Initiate("c", EndpointDriver.Now);
        AssertKeysAgree(1);
        Assert.Equal("192.168.7.2", _driver.Peer.Outbound()!.Local.Address.ToString());
        Assert.Contains("remote 'we.example' @ 10.99.0.1", _swan!.Swanctl("--list-sas"), StringComparison.Ordinal);
        // strongSwan answers to where the NAT put us, on both IKE SAs' rekeys.
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--ike", "peer"));
        _driver.While(() => _swan!.TrySwanctl("--rekey", "--child", "net"));
        AssertKeysAgree(2);
    }

    /// <summary>MOBIKE (RFC 4555): it says so, is followed, and shows that it is there.</summary>
    [Fact]
    public void StrongSwan_that_gets_another_address_is_followed_to_it()
    {
        Start("aes128gcm16-prfsha256-x25519", "aes128gcm16", moves: true);
        _driver!.While(() => _swan!.TrySwanctl("--initiate", "--child", "net"));
        AssertKeysAgree(1);
        _far.Ip("addr del 10.99.0.2/24 dev far0");
        _far.AddAddress("far0", "10.99.0.3/24");
        _driver.Until(() => _driver.Peer.Events.OfType<PeerMoved>().Any(moved => moved.Remote.Address.ToString() == "10.99.0.3"), "the move");
        // What follows has the answer to our COOKIE2 behind it: our window is 1.
        _driver.Peer.Endpoint.Rekey("c", ikeSa: false, EndpointDriver.Now);
        AssertKeysAgree(2);
        Assert.Single(_driver.Peer.IkeSas);
        Assert.Contains("N(COOKIE2)", _swan!.Log, StringComparison.Ordinal);
    }

    [Fact]
    public void StrongSwan_that_was_killed_comes_back_in_place_of_what_it_has_forgotten()
    {
        Start("aes128gcm16-prfsha256-x25519", "aes128gcm16");
        _driver!.While(() => _swan!.TrySwanctl("--initiate", "--child", "net"));
        AssertKeysAgree(1);
        _swan!.Kill();
        _swan.Start();
        _driver.While(() => _swan.TrySwanctl("--initiate", "--child", "net"));
        _driver.Until(() => _driver.Peer.IkeSas.Count == 1 && _driver.Peer.Installed.Count == 1, "one IKE SA");
        Assert.Equal(IkeCloseReason.PeerRestarted, _driver.Peer.Single<IkeSaClosed>().Reason);
        Assert.Equal(2, _driver.Peer.Events.OfType<ChildSaInstalled>().Count());
    }

    [Fact]
    public void Another_key_is_refused_by_both()
    {
        using IkePresharedKey wrong = new("a key that strongSwan does not have"u8);
        Start("aes128gcm16-prfsha256-x25519", "aes128gcm16", wrong, wrong);
        _driver!.Peer.Endpoint.Initiate("c", EndpointDriver.Now);
        _driver.Until(() => _driver.Peer.Events.OfType<InitiationFailed>().Any(), "the failure");
        Assert.Contains("AuthenticationFailed", _driver.Peer.Single<InitiationFailed>().Reason, StringComparison.Ordinal);
        Assert.Empty(_driver.Peer.IkeSas);
    }

    /// <summary>Our newest child SA, and the newest that strongSwan has logged, are one, and have the same keys.</summary>
    private void AssertKeysAgree(int count)
    {
        _driver!.Until(() => _driver.Peer.Events.OfType<ChildSaInstalled>().Count() == count && _driver.Peer.Installed.Count == 1
            && _driver.Peer.Outbound() is not null && _swan!.ChildKeys().Count == count, $"child SA {count}");
        ChildSaInstalled child = _driver.Peer.Outbound()!;
        (string initiator, string responder) = _swan!.ChildKeys()[^1];
        Assert.Equal(initiator, Convert.ToHexString(child.Keys.InitiatorEncryption));
        Assert.Equal(responder, Convert.ToHexString(child.Keys.ResponderEncryption));
        Assert.True(child.UdpEncapsulation);
        Assert.False(child.Keys.Suite.ExtendedSequenceNumbers);
        Assert.Equal("10.77.0.0/16", Assert.Single(child.LocalSelectors).ToString());
        Assert.Equal("10.55.0.0/24", Assert.Single(child.RemoteSelectors).ToString());
    }

    private void Start(string ike, string esp, IkeAuthentication? local = null, IkeAuthentication? remote = null, string auth = "psk", int fragments = 1280, int lcores = 0,
        NetworkNamespace? within = null, IPAddress? address = null, Action<string>? credentials = null, bool moves = false)
    {
        const string Secret = "a key that only the tests know";
        _swan = new StrongSwan(_far, $$"""
            connections { peer {
              version = 2
              local_addrs = {{(moves ? "%any" : "10.99.0.2")}}
              remote_addrs = 10.99.0.1
              encap = yes
              mobike = {{(moves ? "yes" : "no")}}
              fragmentation = yes
              proposals = {{ike}}
              local { auth = {{auth}}
                id = strongswan.example
                {{(auth == "pubkey" ? "certs = peer.pem" : "")}} }
              remote { auth = {{auth}}
                id = we.example }
              children { net {
                local_ts = 10.55.0.0/24
                remote_ts = 10.77.0.0/16
                esp_proposals = {{esp}} } } } }
            secrets { ike-peer { id-1 = we.example
              id-2 = strongswan.example
              secret = "{{Secret}}" } }
            """, credentials, $"fragment_size = {fragments}", logsKeys: true);
        IkePresharedKey key = new(System.Text.Encoding.ASCII.GetBytes(Secret));
        IReadOnlyList<EspSuite> suites =
        [
            .. from cipher in (EspCipher[])[EspCipher.Aes128Gcm16, EspCipher.Aes256Gcm16]
               from method in esp.Contains('-', StringComparison.Ordinal) ? [KeyExchangeMethod.X25519, KeyExchangeMethod.P256] : (KeyExchangeMethod[])[KeyExchangeMethod.None]
               from extended in (bool[])[true, false]
               select new EspSuite(cipher, extended, method),
        ];
        _driver = new EndpointDriver(within ?? _near, address ?? s_ours, new IkeConnection
        {
            Name = "c",
            LocalAddress = address ?? s_ours,
            RemoteAddress = new IPNetwork(s_theirs, 32),
            LocalId = IkeIdentity.Fqdn("we.example"),
            RemoteId = IkeIdentityPattern.Parse("strongswan.example"),
            LocalAuthentication = local ?? key,
            RemoteAuthentication = remote ?? key,
            FragmentSize = fragments,
            Resources = lcores,
            Proposals =
            [
                new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha512, KeyExchangeMethod.X25519),
                new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.P384),
                new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519),
                new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.X25519),
                new(IkeCipher.Aes128Gcm16, PrfAlgorithm.HmacSha256, KeyExchangeMethod.P256),
            ],
            Children =
            [
                new IkeChild
                {
                    Name = "net",
                    LocalSelectors = [TrafficSelector.Parse("10.77.0.0/16")],
                    RemoteSelectors = [TrafficSelector.Parse("10.55.0.0/24")],
                    ResourceSelectors = [[TrafficSelector.Parse("10.77.0.0/17")], [TrafficSelector.Parse("10.77.128.0/17")]],
                    Proposals = suites,
                },
            ],
        });
    }

    private static X509Certificate2 Issue(string subject, X509Certificate2? issuer, bool authority, DateTimeOffset now, string? name)
    {
        ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (authority)
            request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        if (name is not null)
        {
            SubjectAlternativeNameBuilder names = new();
            names.AddDnsName(name);
            request.CertificateExtensions.Add(names.Build());
        }
        if (issuer is null)
            return request.CreateSelfSigned(now.AddHours(-2), now.AddHours(4));
        byte[] serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7F;
        using X509Certificate2 issued = request.Create(issuer, now.AddHours(-1), now.AddHours(2), serial);
        return issued.CopyWithPrivateKey(key);
    }
}
