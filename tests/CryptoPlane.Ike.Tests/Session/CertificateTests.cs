using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Tests.Authentication;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Session.TestConnections;

namespace CryptoPlane.Ike.Tests.Session;

public sealed class CertificateTests : IDisposable
{
    private readonly TestPki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Theory]
    [InlineData("P256", "P384")]
    [InlineData("P521", "RSA")]
    public void Peers_show_who_they_are_by_certificates(string initiator, string responder)
    {
        using TestNetwork network = Network(Peer("initiator.example", initiator), Peer("responder.example", responder));
        network.Establish();
    }

    [Fact]
    public void A_key_on_one_side_and_a_certificate_on_the_other()
    {
        IkePresharedKey key = new("sixteen bytes at least"u8);
        IkeCertificate own = new(_pki.MakePeer(names: builder => builder.AddDnsName("responder.example")));
        using TestNetwork network = Network(
            new() { LocalAuthentication = key, RemoteAuthentication = _pki.Trust },
            new() { LocalAuthentication = own, RemoteAuthentication = key });
        network.Establish();
    }

    [Fact]
    public void A_long_chain_goes_in_fragments()
    {
        X509Certificate2 first = _pki.MakeAuthority("CN=First", _pki.Root), second = _pki.MakeAuthority("CN=Second", first);
        IkeCertificate own = new(_pki.MakePeer(issuer: second, names: builder => builder.AddDnsName("initiator.example")), [second, first]);
        using TestNetwork network = Network(
            new() { LocalAuthentication = own, RemoteAuthentication = _pki.Trust, FragmentSize = 576 }, Peer("responder.example", "P256"));
        network.Establish();
        Assert.True(network.Sent.Count(sent => sent.Header is { Exchange: ExchangeType.IkeAuth, IsResponse: false }) > 2);
    }

    [Fact]
    public void Somebody_elses_certificate_is_refused()
    {
        using TestNetwork network = Network(
            new() { LocalAuthentication = new IkeCertificate(_pki.MakePeer(names: b => b.AddDnsName("other.example"))), RemoteAuthentication = _pki.Trust },
            Peer("responder.example", "P256"));
        network.Initiator.Endpoint.Initiate("c", network.Now);
        network.Run(1_000);
        Assert.Contains("OtherIdentity", network.Responder.Single<PeerRefused>().Reason, StringComparison.Ordinal);
        Assert.Empty(network.Initiator.IkeSas);
    }

    private Settings Peer(string name, string kind)
    {
        AsymmetricAlgorithm key = kind switch
        {
            "P256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
            "P384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            "P521" => ECDsa.Create(ECCurve.NamedCurves.nistP521),
            _ => RSA.Create(2048),
        };
        IkeCertificate own = new(_pki.MakePeer(key: _pki.Keep(key), names: builder => builder.AddDnsName(name)));
        return new() { LocalAuthentication = own, RemoteAuthentication = _pki.Trust };
    }
}
