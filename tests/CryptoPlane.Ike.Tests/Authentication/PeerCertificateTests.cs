using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using CryptoPlane.Ike.Authentication;
using CryptoPlane.Ike.Wire;

namespace CryptoPlane.Ike.Tests.Authentication;

/// <summary>Certificates with every kind of mismatch.</summary>
public sealed class PeerCertificateTests : IDisposable
{
    private static readonly IkeIdentity s_gateway = IkeIdentity.Fqdn("gateway.example");

    private readonly TestPki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Fact]
    public void A_certificate_of_the_root_is_trusted_and_returned()
    {
        X509Certificate2 peer = _pki.MakePeer();
        Assert.Equal(PeerCertificateStatus.Trusted,
            PeerCertificate.Check([TestPki.Payload(peer)], _pki.Trust, s_gateway, TestPki.Now, out X509Certificate2? certificate));
        using (certificate)
            Assert.Equal(peer.RawData, certificate!.RawData);
    }

    [Fact]
    public void Intermediates_come_from_the_peer_in_any_order()
    {
        X509Certificate2 upper = _pki.MakeAuthority("CN=Upper", _pki.Root), lower = _pki.MakeAuthority("CN=Lower", upper), peer = _pki.MakePeer(lower);
        Assert.Equal(PeerCertificateStatus.Trusted, Check(s_gateway, peer, lower, upper));
        Assert.Equal(PeerCertificateStatus.Trusted, Check(s_gateway, peer, upper, _pki.Root, lower));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, peer, lower));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, peer));
        // The first is the peer's own.
        Assert.NotEqual(PeerCertificateStatus.Trusted, Check(s_gateway, lower, peer, upper));
    }

    [Fact]
    public void Nobody_else_may_issue()
    {
        X509Certificate2 impostor = _pki.MakeAuthority("CN=Root", null);
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(impostor)));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(impostor), impostor));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(selfSigned: true)));
        // A peer is no authority, a false authority is none, and one may be forbidden to make others.
        X509Certificate2 other = _pki.MakePeer();
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(other), other));
        X509Certificate2 none = _pki.MakeAuthority("CN=None", _pki.Root, isAuthority: false);
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(none), none));
        X509Certificate2 last = _pki.MakeAuthority("CN=Last", _pki.Root, pathLength: 0), further = _pki.MakeAuthority("CN=Further", last);
        Assert.Equal(PeerCertificateStatus.Trusted, Check(s_gateway, _pki.MakePeer(last), last));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(further), further, last));
    }

    [Fact]
    public void An_authority_that_may_name_one_domain_only_names_no_other()
    {
        // RFC 5280 §4.2.1.10: NameConstraints { permittedSubtrees [0] { { [2] "inside.example" } } }.
        byte[] name = Encoding.ASCII.GetBytes("inside.example");
        byte[] constraints = [0x30, (byte)(name.Length + 6), 0xA0, (byte)(name.Length + 4), 0x30, (byte)(name.Length + 2), 0x82, (byte)name.Length, .. name];
        X509Certificate2 authority = _pki.MakeAuthority("CN=Constrained", _pki.Root, more: new X509Extension("2.5.29.30", constraints, true));
        IkeIdentity inside = IkeIdentity.Fqdn("a.inside.example");
        Assert.Equal(PeerCertificateStatus.Trusted, Check(inside, _pki.MakePeer(authority, names: b => b.AddDnsName("a.inside.example")), authority));
        Assert.Equal(PeerCertificateStatus.Untrusted, Check(s_gateway, _pki.MakePeer(authority), authority));
    }

    [Fact]
    public void Every_certificate_of_the_chain_must_be_valid_now()
    {
        X509Certificate2 stale = _pki.MakeAuthority("CN=Stale", _pki.Root, notAfter: TestPki.Now.AddSeconds(-1));
        Assert.Equal(PeerCertificateStatus.NotTimeValid, Check(s_gateway, _pki.MakePeer(stale), stale));
        Assert.Equal(PeerCertificateStatus.NotTimeValid, Check(s_gateway, _pki.MakePeer(notAfter: TestPki.Now.AddSeconds(-1))));
        Assert.Equal(PeerCertificateStatus.NotTimeValid, Check(s_gateway, _pki.MakePeer(notBefore: TestPki.Now.AddSeconds(1))));
    }

    [Fact]
    public void The_certificate_must_be_for_IKE()
    {
        Assert.Equal(PeerCertificateStatus.WrongUsage, CheckWith(new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, true)));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckWith(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true)));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckWith(new X509KeyUsageExtension(X509KeyUsageFlags.NonRepudiation, true)));
        Assert.Equal(PeerCertificateStatus.WrongUsage, CheckWith(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], false)));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckWith(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.17")], false)));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckWith(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3"), new Oid("2.5.29.37.0")], false)));
        // What is critical and unknown forbids the use.
        Assert.Equal(PeerCertificateStatus.Untrusted, CheckWith(new X509Extension("1.2.3.4.5", [5, 0], true)));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckWith(new X509Extension("1.2.3.4.5", [5, 0], false)));

        PeerCertificateStatus CheckWith(X509Extension extension) => Check(s_gateway, _pki.MakePeer(more: extension));
    }

    [Fact]
    public void Weak_keys_and_hashes_are_refused()
    {
        Assert.Equal(PeerCertificateStatus.Weak, Check(s_gateway, _pki.MakePeer(key: _pki.Keep(RSA.Create(1024)))));
        Assert.Equal(PeerCertificateStatus.Weak, Check(s_gateway, _pki.MakePeer(sha1: true)));
    }

    public static TheoryData<string, string, bool> Names => new()
    {
        { "dns:gateway.example", "gateway.example", true },
        { "dns:Gateway.Example", "gateway.EXAMPLE", true },
        { "dns:gateway.example", "other.example", false },
        { "dns:gateway.example", "gateway.example.org", false },
        { "dns:*.example", "gateway.example", false },
        { "dns:a.example dns:gateway.example", "gateway.example", true },
        { "mail:gateway@example.org", "gateway@example.org", true },
        { "mail:gateway@example.org", "gateway@EXAMPLE.org", true },
        { "mail:gateway@example.org", "Gateway@example.org", false },
        { "mail:gateway@example.org", "example.org", false },
        { "ip:192.0.2.1", "192.0.2.1", true },
        { "ip:192.0.2.1", "192.0.2.2", false },
        { "dns:192.0.2.1", "192.0.2.1", false },
        { "ip:2001:db8::1", "2001:db8::1", true },
        { "ip:::ffff:192.0.2.1", "192.0.2.1", false },
        { "", "CN=peer", true },
        { "", "CN=other", false },
        { "", "O=x, CN=peer", false },
        { "", "peer", false },
        { "dns:peer", "CN=peer", true },
        { "dns:gateway.example", "@#676174657761792e6578616d706c65", false },
    };

    [Theory]
    [MemberData(nameof(Names))]
    public void The_certificate_must_name_the_identity(string names, string identity, bool included)
    {
        X509Certificate2 certificate = _pki.MakePeer(names: builder =>
        {
            foreach (string name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                string value = name[(name.IndexOf(':') + 1)..];
                if (name.StartsWith("dns:", StringComparison.Ordinal))
                    builder.AddDnsName(value);
                else if (name.StartsWith("mail:", StringComparison.Ordinal))
                    builder.AddEmailAddress(value);
                else
                    TestPki.Address(value)(builder);
            }
        });
        Assert.Equal(included ? PeerCertificateStatus.Trusted : PeerCertificateStatus.OtherIdentity, Check(IkeIdentity.Parse(identity), certificate));
    }

    [Fact]
    public void A_directory_name_among_the_alternative_names_is_an_identity()
    {
        X500DistinguishedName other = new("O=Example, CN=other");
        AsnWriter writer = new(AsnEncodingRules.DER);
        using (writer.PushSequence())
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 4, true)))
            writer.WriteEncodedValue(other.RawData);
        X509Certificate2 certificate = _pki.MakePeer(names: _ => { }, more: new X509Extension("2.5.29.17", writer.Encode(), false));
        Assert.Equal(PeerCertificateStatus.Trusted, Check(IkeIdentity.DistinguishedName(other), certificate));
        Assert.Equal(PeerCertificateStatus.Trusted, Check(IkeIdentity.DistinguishedName(certificate.SubjectName), certificate));
    }

    [Theory]
    [InlineData("")]
    [InlineData("04020000")]
    [InlineData("3005820141")]
    [InlineData("30030102030405")]
    [InlineData("3080820141000000")]
    [InlineData("3003A4010C")]
    public void An_extension_that_cannot_be_decoded_names_nobody(string encoding)
    {
        X509Certificate2 certificate = _pki.MakePeer(names: _ => { }, more: new X509Extension("2.5.29.17", Convert.FromHexString(encoding), false));
        // Neither as an alternative name, nor as the subject, which alone would do.
        Assert.NotEqual(PeerCertificateStatus.Trusted, Check(IkeIdentity.DistinguishedName(certificate.SubjectName), certificate));
        Assert.NotEqual(PeerCertificateStatus.Trusted, Check(s_gateway, certificate));
    }

    [Fact]
    public void What_is_no_certificate_is_refused()
    {
        X509Certificate2 peer = _pki.MakePeer();
        CertificatePayload good = TestPki.Payload(peer);
        Assert.Equal(PeerCertificateStatus.Missing, Check(s_gateway));
        Assert.Equal(PeerCertificateStatus.Missing, CheckPayloads([good with { Encoding = CertificateEncoding.HashAndUrlOfCertificate }]));
        Assert.Equal(PeerCertificateStatus.Malformed, CheckPayloads([good with { Data = [] }]));
        Assert.Equal(PeerCertificateStatus.Malformed, CheckPayloads([good with { Data = good.Data[..^1] }]));
        Assert.Equal(PeerCertificateStatus.Malformed, CheckPayloads([good with { Data = [.. good.Data, 0] }]));
        Assert.Equal(PeerCertificateStatus.Malformed, CheckPayloads([good with { Data = Encoding.ASCII.GetBytes(peer.ExportCertificatePem()) }]));
        Assert.Equal(PeerCertificateStatus.Malformed, CheckPayloads([good, good with { Data = [0x30, 0] }]));
        Assert.Equal(PeerCertificateStatus.TooMany, CheckPayloads([.. Enumerable.Repeat(good, PeerCertificate.MaxCertificates + 1)]));
        Assert.Equal(PeerCertificateStatus.Trusted, CheckPayloads([good with { Encoding = CertificateEncoding.CertificateRevocationList }, good]));
    }

    [Fact]
    public void A_damaged_certificate_is_never_trusted()
    {
        byte[] good = _pki.MakePeer().RawData;
        var random = new Random(5);
        for (int i = 0; i < 150; i++)
        {
            byte[] damaged = [.. good];
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            Assert.NotEqual(PeerCertificateStatus.Trusted, CheckPayloads([new CertificatePayload(CertificateEncoding.X509Signature, damaged)]));
        }
    }

    [Fact]
    public void Our_payloads_are_the_chain_and_the_hashes_of_the_roots_keys()
    {
        X509Certificate2 authority = _pki.MakeAuthority("CN=Lower", _pki.Root), ours = _pki.MakePeer(authority);
        IReadOnlyList<CertificatePayload> chain = CertificatePayloads.Certificates(new IkeCertificate(ours, [authority]));
        Assert.Equal([ours.RawData, authority.RawData], chain.Select(one => one.Data));
        CertificateRequestPayload request = CertificatePayloads.Request([_pki.Root, authority]);
        Assert.Equal(CertificateEncoding.X509Signature, request.Encoding);
        byte[] expected = [.. SHA1.HashData(_pki.Root.PublicKey.ExportSubjectPublicKeyInfo()), .. SHA1.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo())];
        Assert.Equal(expected, request.Authorities);
    }

    private PeerCertificateStatus Check(IkeIdentity identity, params X509Certificate2[] certificates) =>
        CheckPayloads([.. certificates.Select(TestPki.Payload)], identity);

    private PeerCertificateStatus CheckPayloads(IReadOnlyList<CertificatePayload> payloads, IkeIdentity? identity = null)
    {
        PeerCertificateStatus status = PeerCertificate.Check(payloads, _pki.Trust, identity ?? s_gateway, TestPki.Now, out X509Certificate2? certificate);
        Assert.Equal(status == PeerCertificateStatus.Trusted, certificate != null);
        certificate?.Dispose();
        return status;
    }
}
