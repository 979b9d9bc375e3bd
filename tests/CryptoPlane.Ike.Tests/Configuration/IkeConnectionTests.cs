using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike.Tests.Configuration;

public sealed class IkeConnectionTests : IDisposable
{
    private static readonly TrafficSelector s_local = TrafficSelector.Parse("10.0.0.0/8"), s_remote = TrafficSelector.Parse("10.77.0.0/16");
    private readonly IkePresharedKey _key = new("sixteen bytes at least"u8);

    public void Dispose() => _key.Dispose();

    [Fact]
    public void A_connection_without_contradictions_is_taken() => Connection().Validate();

    [Fact]
    public void A_key_that_can_be_guessed_is_refused() => Assert.Throws<ArgumentException>(() => new IkePresharedKey("fifteen bytes.."u8));

    [Fact]
    public void A_key_gives_nothing_away_when_it_is_disposed_of()
    {
        IkePresharedKey key = new("sixteen bytes at least"u8);
        key.Dispose();
        Assert.Throws<ObjectDisposedException>(() => key.Secret.Length);
    }

    [Fact]
    public void Each_contradiction_is_named()
    {
        Refused("needs a name", Connection(name: " "));
        Refused("name the local address and a single remote one", Connection(start: IkeStartAction.Start));
        Refused("name the local address and a single remote one", Connection(start: IkeStartAction.Start, local: IPAddress.Loopback, remote: "10.0.0.0/24"));
        Refused("at least one child", Connection(children: []));
        Refused("the same name", Connection(children: [Child(), Child()]));
        Refused("expiry after rekeying", Connection(lifetime: new IkeLifetime(100, 100, 0)));
        Refused("fragments have at least", Connection(fragmentSize: 100));
        Refused("resources", Connection(resources: 255));
        Refused("selectors", Connection(children: [Child(localSelectors: [])]));
        Refused("share must lie within", Connection(children: [Child(share: TrafficSelector.Parse("11.0.0.0/8"))]));
        Connection(start: IkeStartAction.Start, local: IPAddress.Loopback, remote: "10.0.0.1/32", children: [Child(share: TrafficSelector.Parse("10.4.0.0/16"))])
            .Validate();
    }

    [Fact]
    public void Only_our_own_certificate_shows_who_we_are_and_only_trust_checks_the_peers()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using X509Certificate2 certificate = new CertificateRequest("CN=test", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        using X509Certificate2 withoutKey = X509CertificateLoader.LoadCertificate(certificate.RawData);
        Assert.Throws<ArgumentException>(() => new IkeCertificate(withoutKey));
        Assert.Throws<ArgumentException>(() => new IkeCertificateTrust([]));
        IkeCertificate own = new(certificate);
        IkeCertificateTrust trust = new([withoutKey]);
        Connection(localAuthentication: own, remoteAuthentication: trust).Validate();
        Refused("not by trust", Connection(localAuthentication: trust, remoteAuthentication: trust));
        Refused("IkeCertificateTrust trusts", Connection(localAuthentication: own, remoteAuthentication: own));
    }

    [Theory]
    [InlineData(null, null, "192.0.2.1", "198.51.100.7", true)]
    [InlineData("192.0.2.1", "198.51.100.0/24", "192.0.2.1", "198.51.100.7", true)]
    [InlineData("192.0.2.2", "198.51.100.0/24", "192.0.2.1", "198.51.100.7", false)]
    [InlineData("192.0.2.1", "198.51.100.0/24", "192.0.2.1", "198.51.101.7", false)]
    [InlineData("192.0.2.1", "198.51.100.0/24", "192.0.2.1", "2001:db8::1", false)]
    public void A_peer_is_looked_for_by_its_address_and_ours(string? local, string? remote, string to, string from, bool matches)
    {
        IkeConnection connection = Connection(local: local is null ? null : IPAddress.Parse(local), remote: remote);
        Assert.Equal(matches, connection.MatchesAddresses(IPAddress.Parse(to), IPAddress.Parse(from)));
    }

    private static void Refused(string why, IkeConnection connection)
    {
        string message = Assert.Throws<ArgumentException>(connection.Validate).Message;
        Assert.Contains(why, message, StringComparison.Ordinal);
    }

    private static IkeChild Child(IReadOnlyList<TrafficSelector>? localSelectors = null, TrafficSelector? share = null) => new()
    {
        Name = "net",
        LocalSelectors = localSelectors ?? [s_local],
        RemoteSelectors = [s_remote],
        ResourceSelectors = share is null ? [] : [[share]],
    };

    private IkeConnection Connection(
        string name = "c", IPAddress? local = null, string? remote = null, IkeStartAction start = IkeStartAction.None, IReadOnlyList<IkeChild>? children = null,
        IkeLifetime? lifetime = null, int fragmentSize = 1280, int resources = 0, IkeAuthentication? localAuthentication = null,
        IkeAuthentication? remoteAuthentication = null) => new()
    {
        Name = name,
        LocalAddress = local,
        RemoteAddress = remote is null ? null : IPNetwork.Parse(remote),
        LocalId = IkeIdentity.Fqdn("we.example"),
        RemoteId = IkeIdentityPattern.Any,
        LocalAuthentication = localAuthentication ?? _key,
        RemoteAuthentication = remoteAuthentication ?? _key,
        Children = children ?? [Child()],
        Lifetime = lifetime ?? IkeLifetime.IkeSaDefault,
        StartAction = start,
        FragmentSize = fragmentSize,
        Resources = resources,
    };
}
