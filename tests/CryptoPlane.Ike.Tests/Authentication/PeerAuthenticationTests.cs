using System.Security.Cryptography.X509Certificates;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Crypto;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Authentication;

public sealed class PeerAuthenticationTests : IDisposable
{
    private static readonly byte[] s_octets = [1, 2, 3];
    private static readonly IkeIdentity s_gateway = IkeIdentity.Fqdn("gateway.example");

    private readonly TestPki _pki = new();
    private readonly IkePresharedKey _key = new("a long enough secret"u8);
    private readonly X509Certificate2 _peer;

    public PeerAuthenticationTests() => _peer = _pki.MakePeer();

    private AuthenticationPayload SharedKeyAuth => new(AuthenticationMethod.SharedKey, SharedKeyAuthentication.Compute(PrfAlgorithm.HmacSha256, _key.Secret, s_octets));

    private AuthenticationPayload SignatureAuth => SignatureAuthentication.Sign(_peer, s_octets, [2])!;

    public void Dispose()
    {
        _key.Dispose();
        _pki.Dispose();
    }

    [Fact]
    public void Who_shows_what_is_expected_is_authenticated()
    {
        Assert.Equal(PeerAuthenticationStatus.Authenticated, Verify(_key, SharedKeyAuth));
        Assert.Equal(PeerAuthenticationStatus.Authenticated, Verify(_pki.Trust, SignatureAuth, _peer));
    }

    [Fact]
    public void Nobody_chooses_another_method_than_the_connections()
    {
        Assert.Equal(PeerAuthenticationStatus.WrongMethod, Verify(_key, SignatureAuth, _peer));
        Assert.Equal(PeerAuthenticationStatus.WrongMethod, Verify(_pki.Trust, SharedKeyAuth, _peer));
        Assert.Equal(PeerAuthenticationStatus.WrongMethod, Verify(_pki.Trust, SignatureAuth with { Method = AuthenticationMethod.Null }, _peer));
        Assert.Equal(PeerAuthenticationStatus.WrongMethod, Verify(_key, SharedKeyAuth with { Method = AuthenticationMethod.Null }));
        Assert.Equal(PeerAuthenticationStatus.WrongMethod, Verify(new IkeCertificate(_peer), SignatureAuth, _peer));
    }

    [Fact]
    public void What_is_wrong_is_told_apart()
    {
        Assert.Equal(PeerAuthenticationStatus.WrongSharedKey, Verify(_key, SharedKeyAuth with { Data = new byte[32] }));
        Assert.Equal(PeerAuthenticationStatus.BadCertificate, Verify(_pki.Trust, SignatureAuth));
        X509Certificate2 other = _pki.MakePeer();
        Assert.Equal(PeerAuthenticationStatus.WrongSignature, Verify(_pki.Trust, SignatureAuth, other));
        Assert.Equal(PeerAuthenticationStatus.IdentityNotAllowed, PeerAuthentication.Verify(_key, IkeIdentityPattern.Parse("other.example"), s_gateway, SharedKeyAuth, s_octets,
            [], PrfAlgorithm.HmacSha256, TestPki.Now, out _));
        // The pattern takes whoever the certificate is for, not whoever one says to be.
        Assert.Equal(PeerAuthenticationStatus.BadCertificate, PeerAuthentication.Verify(_pki.Trust, IkeIdentityPattern.Any, IkeIdentity.Fqdn("other.example"), SignatureAuth,
            s_octets, [TestPki.Payload(_peer)], PrfAlgorithm.HmacSha256, TestPki.Now, out PeerCertificateStatus? why));
        Assert.Equal(PeerCertificateStatus.OtherIdentity, why);
    }

    private static PeerAuthenticationStatus Verify(IkeAuthentication expected, AuthenticationPayload auth, params X509Certificate2[] certificates) =>
        PeerAuthentication.Verify(expected, IkeIdentityPattern.Parse("*.example"), s_gateway, auth, s_octets, [.. certificates.Select(TestPki.Payload)],
            PrfAlgorithm.HmacSha256, TestPki.Now, out _);
}
