using System.Net;
using CryptoPlane.Ike.Wire;
using static CryptoPlane.Ike.Tests.Wire.WireBytes;

namespace CryptoPlane.Ike.Tests.Wire;

/// <summary>Each payload as RFC 7296 draws it, typed by hand, read and written again.</summary>
public sealed class PayloadTests
{
    // One proposal: IKE, four transforms: AES-GCM-16 with 128 bits, PRF HMAC-SHA2-256, X25519 and P-256.
    private const string IkeProposal = """
        00 00 002c  01 01 00 04
          03 00 000c 01 00 0014 800e 0080
          03 00 0008 02 00 0005
          03 00 0008 04 00 001f
          00 00 0008 04 00 0013
        """;

    [Fact]
    public void Security_association_of_an_ike_sa()
    {
        Assert.Equal(IkeParseError.None, SecurityAssociationPayload.Parse(Hex(IkeProposal), out SecurityAssociationPayload? sa));
        Proposal proposal = Assert.Single(sa!.Proposals);
        Assert.Equal((1, SecurityProtocol.Ike, 0), (proposal.Number, proposal.Protocol, proposal.Spi.Length));
        Assert.Equal(
            [
                new Transform(TransformType.Encryption, 20, 128), new Transform(TransformType.PseudorandomFunction, 5),
                new Transform(TransformType.KeyExchange, 31), new Transform(TransformType.KeyExchange, 19),
            ],
            proposal.Transforms);
        Assert.Equal(Hex(IkeProposal), BodyOf(sa));
    }

    [Fact]
    public void Security_association_of_esp_with_two_proposals()
    {
        byte[] body = Hex("""
            02 00 0020  01 03 04 02 c0a80001  03 00 000c 01 00 0014 800e 0100  00 00 0008 05 00 0001
            00 00 001c  02 03 04 02 c0a80001  03 00 0008 01 00 001c            00 00 0008 05 00 0000
            """);
        Assert.Equal(IkeParseError.None, SecurityAssociationPayload.Parse(body, out SecurityAssociationPayload? sa));
        Assert.Equal(2, sa!.Proposals.Count);
        Assert.Equal(0xC0A80001ul, sa.Proposals[1].SpiValue);
        Assert.Equal(new Transform(TransformType.ExtendedSequenceNumbers, 1), sa.Proposals[0].Transforms[1]);
        Assert.Equal(new Transform(TransformType.Encryption, 28), sa.Proposals[1].Transforms[0]);
        Assert.Equal(body, BodyOf(sa));
    }

    [Fact]
    public void A_transform_with_an_unknown_attribute_is_read_and_marked()
    {
        byte[] body = Hex("00 00 0020 01 03 04 01 00000001  00 00 0014 01 00 0014  0063 0004 aabbccdd  8001 0002");
        body[3] = (byte)body.Length;
        body[15] = (byte)(body.Length - 12);
        Assert.Equal(IkeParseError.None, SecurityAssociationPayload.Parse(body, out SecurityAssociationPayload? sa));
        Assert.True(sa!.Proposals[0].Transforms[0].HasUnknownAttributes);
    }

    [Theory]
    [InlineData("00 00 0008 01 03 03 00", IkeParseError.BadProposal)] // SPI beyond the proposal
    [InlineData("00 00 000a 01 03 02 00 aabb", IkeParseError.BadProposal)] // an ESP SPI of two bytes
    [InlineData("02 00 0008 01 01 00 00", IkeParseError.BadProposal)] // more are promised
    [InlineData("01 00 0008 01 01 00 00", IkeParseError.BadProposal)] // neither last nor more
    [InlineData("00 00 0008 01 01 00 00 00", IkeParseError.BadProposal)] // bytes after the last
    [InlineData("00 00 0008 01 01 00 01", IkeParseError.BadTransform)] // a transform is promised
    [InlineData("00 00 0010 01 01 00 01 03 00 0008 01 00 0014", IkeParseError.BadTransform)] // its last transform is not the last
    [InlineData("00 00 0014 01 01 00 01 00 00 000c 01 00 0014 800e 0000", IkeParseError.BadTransform)] // a key of no bits
    [InlineData("00 00 0018 01 01 00 01 00 00 0010 01 00 0014 800e 0080 800e 0100", IkeParseError.BadTransform)] // two key lengths
    [InlineData("00 00 0014 01 01 00 01 00 00 000c 01 00 0014 000e 0009", IkeParseError.BadTransform)] // attribute beyond the transform
    public void Malformed_security_associations_have_a_name(string body, object error) =>
        Assert.Equal((IkeParseError)error, SecurityAssociationPayload.Parse(Hex(body), out _));

    [Fact]
    public void Proposals_and_transforms_are_bounded()
    {
        byte[] proposal = Hex("02 00 0008 01 01 00 00");
        byte[] body = [.. Enumerable.Repeat(proposal, SecurityAssociationPayload.MaximumProposals + 1).SelectMany(p => p)];
        Assert.Equal(IkeParseError.BadProposal, SecurityAssociationPayload.Parse(body, out _));
        Transform[] many = [.. Enumerable.Repeat(new Transform(TransformType.Encryption, 20, 128), 200)];
        byte[] three = BodyOf(new SecurityAssociationPayload([.. Enumerable.Repeat(new Proposal(1, SecurityProtocol.Ike, [], many), 3)]));
        Assert.Equal(IkeParseError.TooManyTransforms, SecurityAssociationPayload.Parse(three, out _));
    }

    [Fact]
    public void Key_exchange()
    {
        byte[] body = [.. Hex("001f 0000"), .. Enumerable.Range(1, 32).Select(i => (byte)i)];
        Assert.Equal(IkeParseError.None, KeyExchangePayload.Parse(body, out KeyExchangePayload? ke));
        Assert.Equal(31, ke!.Method);
        Assert.Equal(body[4..], ke.PublicValue);
        Assert.Equal(body, BodyOf(ke));
        Assert.Equal(IkeParseError.BadKeyExchange, KeyExchangePayload.Parse(body.AsSpan(0, 4), out _));
    }

    [Theory]
    [InlineData(15, false)]
    [InlineData(16, true)]
    [InlineData(256, true)]
    [InlineData(257, false)]
    public void Nonces_have_16_to_256_bytes(int length, bool good) =>
        Assert.Equal(good ? IkeParseError.None : IkeParseError.BadNonce, NoncePayload.Parse(new byte[length], out _));

    [Fact]
    public void Notifications()
    {
        byte[] rekey = Hex("03 04 4009 11223344");
        Assert.Equal(IkeParseError.None, NotifyPayload.Parse(rekey, out NotifyPayload? notify));
        Assert.Equal(NotifyType.RekeySa, notify!.NotifyType);
        Assert.False(notify.IsError);
        Assert.True(notify.TryGetEspSpi(out uint spi));
        Assert.Equal(0x11223344u, spi);
        Assert.Equal(rekey, BodyOf(notify));
        Assert.Equal(rekey, BodyOf(NotifyPayload.ForEsp(NotifyType.RekeySa, 0x11223344)));

        byte[] invalidKe = Hex("00 00 0011 0013");
        Assert.Equal(IkeParseError.None, NotifyPayload.Parse(invalidKe, out notify));
        Assert.True(notify!.IsError);
        Assert.True(notify.TryGetKeyExchangeMethod(out ushort method));
        Assert.Equal(19, method);
        Assert.Equal(invalidKe, BodyOf(NotifyPayload.InvalidKePayload(19)));

        byte[] hashes = Hex("00 00 402f 0002 0003 0004");
        Assert.Equal(IkeParseError.None, NotifyPayload.Parse(hashes, out notify));
        Assert.True(notify!.TryGetHashAlgorithms(out ushort[] algorithms));
        Assert.Equal([2, 3, 4], algorithms);
        Assert.Equal(hashes, BodyOf(NotifyPayload.HashAlgorithms([2, 3, 4])));

        Assert.Equal(IkeParseError.BadNotify, NotifyPayload.Parse(Hex("03 04 4009 112233"), out _));
    }

    [Fact]
    public void Typed_data_of_a_notification_of_another_length_is_not_read()
    {
        Assert.False(new NotifyPayload(NotifyType.InvalidKePayload, [1]).TryGetKeyExchangeMethod(out _));
        Assert.False(new NotifyPayload(NotifyType.SignatureHashAlgorithms, [1, 2, 3]).TryGetHashAlgorithms(out _));
        Assert.False(new NotifyPayload(NotifyType.RekeySa) { Protocol = SecurityProtocol.Esp, Spi = [1, 2, 3] }.TryGetEspSpi(out _));
        Assert.False(new NotifyPayload(NotifyType.RekeySa) { Protocol = SecurityProtocol.Ah, Spi = [1, 2, 3, 4] }.TryGetEspSpi(out _));
    }

    [Fact]
    public void Identities_keep_the_reserved_bytes_that_auth_covers()
    {
        byte[] body = Hex("02 010203 636c69");
        Assert.Equal(
            IkeParseError.None, IdentificationPayload.Parse(PayloadType.IdentificationInitiator, body, out IdentificationPayload? id));
        Assert.Equal(2, id!.IdentificationType);
        Assert.Equal("cli"u8.ToArray(), id.Data.ToArray());
        Assert.Equal(body, id.Body);
        Assert.Equal(body, BodyOf(id));
        Assert.Equal(Hex("0b 000000 ff"), BodyOf(IdentificationPayload.Create(PayloadType.IdentificationResponder, 11, [0xFF])));
        Assert.Equal(
            IkeParseError.BadIdentification, IdentificationPayload.Parse(PayloadType.IdentificationInitiator, body.AsSpan(0, 4), out _));
    }

    [Fact]
    public void Certificates_and_requests_for_them()
    {
        Assert.Equal(IkeParseError.None, CertificatePayload.Parse(Hex("04 3003"), out CertificatePayload? certificate));
        Assert.Equal(CertificateEncoding.X509Signature, certificate!.Encoding);
        Assert.Equal(Hex("04 3003"), BodyOf(certificate));
        Assert.Equal(IkeParseError.BadCertificate, CertificatePayload.Parse([4], out _));

        byte[] request = [4, .. new byte[40]];
        Assert.Equal(IkeParseError.None, CertificateRequestPayload.Parse(request, out CertificateRequestPayload? read));
        Assert.Equal(request, BodyOf(read!));
        Assert.Equal(IkeParseError.None, CertificateRequestPayload.Parse([4], out _));
        Assert.Equal(IkeParseError.BadCertificate, CertificateRequestPayload.Parse(request.AsSpan(0, 40), out _));
        Assert.Equal(IkeParseError.BadCertificate, CertificateRequestPayload.Parse([], out _));
    }

    [Fact]
    public void Authentication()
    {
        Assert.Equal(IkeParseError.None, AuthenticationPayload.Parse(Hex("0e 000000 aabb"), out AuthenticationPayload? auth));
        Assert.Equal(AuthenticationMethod.DigitalSignature, auth!.Method);
        Assert.Equal(Hex("0e 000000 aabb"), BodyOf(auth));
        Assert.Equal(IkeParseError.BadAuthentication, AuthenticationPayload.Parse(Hex("0e 000000"), out _));
    }

    [Fact]
    public void Traffic_selectors_of_both_ip_versions()
    {
        byte[] body = Hex("""
            02 000000
            07 00 0010 0000 ffff 0a370000 0a3700ff
            08 11 0028 01f4 01f4 20010db8000000000000000000000000 20010db80000000000000000000000ff
            """);
        Assert.Equal(
            IkeParseError.None,
            TrafficSelectorsPayload.Parse(PayloadType.TrafficSelectorsInitiator, body, out TrafficSelectorsPayload? ts));
        Assert.Equal(TrafficSelector.Parse("10.55.0.0/24"), ts!.Selectors[0]);
        Assert.Equal(IPAddress.Parse("2001:db8::ff"), ts.Selectors[1].Last);
        Assert.Equal((17, 500, 500), (ts.Selectors[1].Protocol, ts.Selectors[1].FirstPort, ts.Selectors[1].LastPort));
        Assert.False(ts.HasUnknownSelectors);
        Assert.Equal(body, BodyOf(ts));
    }

    [Theory]
    [InlineData("00 000000", IkeParseError.BadTrafficSelector)] // none
    [InlineData("02 000000 07 00 0010 0000 ffff 0a370000 0a3700ff", IkeParseError.BadTrafficSelector)] // one is missing
    [InlineData("01 000000 07 00 0010 0000 ffff 0a370001 0a370000", IkeParseError.BadTrafficSelector)] // last address below first
    [InlineData("01 000000 07 11 0010 0002 0001 0a370000 0a370000", IkeParseError.BadTrafficSelector)] // last port below first
    [InlineData("01 000000 07 00 0028 0000 ffff 0a370000 0a370000 00000000000000000000000000000000 0000000000000000",
        IkeParseError.BadTrafficSelector)]
    [InlineData("01 000000 08 00 0010 0000 ffff 0a370000 0a3700ff", IkeParseError.BadTrafficSelector)] // IPv6 of IPv4's length
    [InlineData("01 000000 07 00 0010 0000 ffff 0a370000 0a3700ff 00", IkeParseError.BadTrafficSelector)] // bytes after the last
    [InlineData("01 000000 07 00 0003", IkeParseError.BadTrafficSelector)]
    public void Malformed_traffic_selectors_have_a_name(string body, object error) =>
        Assert.Equal((IkeParseError)error, TrafficSelectorsPayload.Parse(PayloadType.TrafficSelectorsResponder, Hex(body), out _));

    [Theory]
    [InlineData("01 000000 0a 00 0008 00000000")] // a security label (RFC 9478)
    [InlineData("01 000000 07 11 0010 ffff 0000 0a370000 0a3700ff")] // OPAQUE
    [InlineData("01 000000 07 00 0010 0001 0001 0a370000 0a3700ff")] // a port of no protocol
    public void Selectors_that_nobody_here_can_grant_are_left_out(string body)
    {
        Assert.Equal(
            IkeParseError.None,
            TrafficSelectorsPayload.Parse(PayloadType.TrafficSelectorsResponder, Hex(body), out TrafficSelectorsPayload? ts));
        Assert.Empty(ts!.Selectors);
        Assert.True(ts.HasUnknownSelectors);
    }

    [Fact]
    public void Deletions()
    {
        byte[] esp = Hex("03 04 0002 00000001 f0000002");
        Assert.Equal(IkeParseError.None, DeletePayload.Parse(esp, out DeletePayload? delete));
        Assert.Equal([1u, 0xF0000002u], delete!.Spis);
        Assert.Equal(esp, BodyOf(delete));
        Assert.Equal(Hex("01 00 0000"), BodyOf(DeletePayload.IkeSa));
        Assert.Equal(IkeParseError.None, DeletePayload.Parse(Hex("01 00 0000"), out delete));
        Assert.Equal(SecurityProtocol.Ike, delete!.Protocol);
        foreach (string bad in (string[])
            ["01 08 0001 0102030405060708", "03 04 0002 00000001", "03 02 0001 0001", "04 04 0000", "01 00 0001", "03 04"])
            Assert.Equal(IkeParseError.BadDelete, DeletePayload.Parse(Hex(bad), out _));
        Assert.Equal(IkeParseError.BadDelete, DeletePayload.Parse([3, 4, 4, 1, .. new byte[4 * (DeletePayload.MaximumSpis + 1)]], out _));
    }

    [Fact]
    public void Configuration()
    {
        byte[] body = Hex("02 000000 0001 0004 0a010203  0003 0004 0a000001  000a 0000");
        Assert.Equal(IkeParseError.None, ConfigurationPayload.Parse(body, out ConfigurationPayload? cp));
        Assert.Equal(ConfigurationType.Reply, cp!.ConfigurationType);
        Assert.Equal(
            [ConfigurationAttributeType.InternalIp4Address, ConfigurationAttributeType.InternalIp4Dns, ConfigurationAttributeType.InternalIp6Dns],
            cp.Attributes.Select(a => a.Type));
        Assert.Equal(body, BodyOf(cp));
        Assert.Equal(IkeParseError.BadConfiguration, ConfigurationPayload.Parse(Hex("02 000000 0001 0004 0a0102"), out _));
        Assert.Equal(
            IkeParseError.BadConfiguration,
            ConfigurationPayload.Parse([1, 0, 0, 0, .. new byte[4 * (ConfigurationPayload.MaximumAttributes + 1)]], out _));
    }

    [Theory]
    [InlineData("01 07 0005 01", true)] // request, identity
    [InlineData("03 07 0004", true)] // success
    [InlineData("03 07 0005 00", false)]
    [InlineData("01 07 0004", false)] // a request without a type
    [InlineData("01 07 0006 01", false)]
    [InlineData("05 07 0005 01", false)]
    [InlineData("01 07", false)]
    public void Eap(string body, bool good)
    {
        Assert.Equal(good ? IkeParseError.None : IkeParseError.BadEap, EapPayload.Parse(Hex(body), out EapPayload? eap));
        if (good)
            Assert.Equal(Hex(body), BodyOf(eap!));
    }
}
