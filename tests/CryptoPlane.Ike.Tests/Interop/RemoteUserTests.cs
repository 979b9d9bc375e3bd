using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Authentication.Eap;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.TestKit;

namespace CryptoPlane.Ike.Tests.Interop;

/// <summary>
/// strongSwan as a remote user's client: EAP-MSCHAPv2, an inner address, and a gateway with an RSA certificate (RSASSA-PSS).
/// </summary>
public sealed class RemoteUserTests : IDisposable
{
    private static readonly IPAddress s_ours = IPAddress.Parse("10.99.0.1");
    private readonly NetworkNamespace _near = new("near"), _far = new("far");
    private readonly RSA _key = RSA.Create(2048);
    private readonly X509Certificate2 _certificate;
    private readonly EndpointDriver _driver;
    private StrongSwan? _swan;

    public RemoteUserTests()
    {
        _near.Connect(_far, "near0", "10.99.0.1/24", "far0", "10.99.0.2/24");
        CertificateRequest request = new("CN=gateway", _key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName("gateway.example");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(2));
        _driver = new EndpointDriver(_near, s_ours, new IkeConnection
        {
            Name = "users",
            LocalAddress = s_ours,
            LocalId = IkeIdentity.Fqdn("gateway.example"),
            RemoteId = IkeIdentityPattern.Parse("*@example"),
            LocalAuthentication = new IkeCertificate(_certificate),
            RemoteAuthentication = new IkeEapMsChapV2(new Users()),
            RemoteAccess = new IkeRemoteAccess { Addresses = new IkeAddressPool(IPNetwork.Parse("10.9.0.0/24"), null) },
            Proposals = [new(IkeCipher.Aes256Gcm16, PrfAlgorithm.HmacSha384, KeyExchangeMethod.X25519)],
            Children = [new IkeChild { Name = "net", LocalSelectors = [TrafficSelector.Parse("172.16.0.0/12")], RemoteSelectors = [TrafficSelector.AnyIPv4] }],
        });
    }

    public void Dispose()
    {
        _driver.Dispose();
        _swan?.Dispose();
        _near.Dispose();
        _far.Dispose();
        _certificate.Dispose();
        _key.Dispose();
    }

    [Fact]
    public void A_user_logs_in_and_keeps_the_address_through_rekeys()
    {
        Start("correct horse");
        _driver.While(() => _swan!.TrySwanctl("--initiate", "--child", "net"));
        AssertTunnel(1);
        Assert.Equal("alice@example", _driver.Peer.Single<IkeSaEstablished>().RemoteId.ToString());
        Assert.Contains("installing new virtual IP 10.9.0.1", _swan!.Log, StringComparison.Ordinal);
        ulong before = Assert.Single(_driver.Peer.IkeSas);
        _driver.While(() => _swan.TrySwanctl("--rekey", "--ike", "user"));
        _driver.Until(() => _driver.Peer.IkeSas.Count == 1 && !_driver.Peer.IkeSas.Contains(before), "one new IKE SA");
        _driver.While(() => _swan.TrySwanctl("--rekey", "--child", "net"));
        AssertTunnel(2);
        _driver.While(() => _swan.TrySwanctl("--terminate", "--ike", "user"));
        _driver.Until(() => _driver.Peer.IkeSas.Count == 0, "the IKE SA's end");
        Assert.Empty(_driver.Peer.Installed);
    }

    [Fact]
    public void A_wrong_password_is_refused()
    {
        Start("wrong horse");
        Task<ProgramResult> attempt = Task.Factory.StartNew(
            () => _swan!.TrySwanctl("--initiate", "--child", "net"), TestContext.Current.CancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        _driver.Until(() => attempt.IsCompleted && _driver.Peer.Events.OfType<PeerRefused>().Any(), "both to give up");
        Assert.Contains("password", _driver.Peer.Single<PeerRefused>().Reason, StringComparison.Ordinal);
        Assert.Empty(_driver.Peer.IkeSas);
        Assert.Empty(_driver.Peer.Spis.Used);
    }

    private void AssertTunnel(int count)
    {
        _driver.Until(() => _driver.Peer.Installed.Count == 1 && _driver.Peer.Outbound() is not null && _swan!.ChildKeys().Count == count, $"child SA {count}");
        ChildSaInstalled child = _driver.Peer.Outbound()!;
        (string initiator, string responder) = _swan!.ChildKeys()[^1];
        Assert.Equal(initiator, Convert.ToHexString(child.Keys.InitiatorEncryption));
        Assert.Equal(responder, Convert.ToHexString(child.Keys.ResponderEncryption));
        Assert.Equal("10.9.0.1/32", Assert.Single(child.RemoteSelectors).ToString());
        Assert.Equal("172.16.0.0/12", Assert.Single(child.LocalSelectors).ToString());
    }

    private void Start(string password)
    {
        Requirement.That(File.Exists("/usr/lib/ipsec/plugins/libstrongswan-eap-mschapv2.so"),
            "strongSwan's plugin eap-mschapv2 is missing: install it with 'apt-get install libcharon-extauth-plugins'");
        _swan = new StrongSwan(_far, $$"""
            connections { user {
              version = 2
              local_addrs = 10.99.0.2
              remote_addrs = 10.99.0.1
              encap = yes
              mobike = no
              vips = 0.0.0.0
              proposals = aes256gcm16-prfsha384-x25519
              local { auth = eap-mschapv2
                id = phone.example
                eap_id = alice@example }
              remote { auth = pubkey
                id = gateway.example }
              children { net {
                remote_ts = 172.16.0.0/12
                esp_proposals = aes256gcm16 } } } }
            secrets { eap-alice { id = alice@example
              secret = "{{password}}" } }
            """, directory => File.WriteAllText(Path.Combine(directory, "x509ca", "gateway.pem"), _certificate.ExportCertificatePem()), logsKeys: true);
    }

    private sealed class Users : IEapUsers
    {
        public EapUserStatus Find(string userName, IPEndPoint remote, Span<byte> ntHash)
        {
            EapPassword.Hash("correct horse", ntHash);
            return userName == "alice@example" ? EapUserStatus.Known : EapUserStatus.Unknown;
        }
    }
}
