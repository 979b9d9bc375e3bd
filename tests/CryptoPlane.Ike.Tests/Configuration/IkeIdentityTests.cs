using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace CryptoPlane.Ike.Tests.Configuration;

public class IkeIdentityTests
{
    [Theory]
    [InlineData("gateway.example", IkeIdentityType.Fqdn)]
    [InlineData("user@example", IkeIdentityType.Rfc822Address)]
    [InlineData("192.0.2.7", IkeIdentityType.Ipv4Address)]
    [InlineData("2001:db8::7", IkeIdentityType.Ipv6Address)]
    [InlineData("CN=gateway, O=Example", IkeIdentityType.DerAsn1Dn)]
    [InlineData("@#00ff10", IkeIdentityType.KeyId)]
    public void What_people_write_is_read_by_its_form_and_written_the_same(string text, IkeIdentityType type)
    {
        IkeIdentity identity = IkeIdentity.Parse(text);
        Assert.Equal(type, identity.Type);
        Assert.Equal(text, identity.ToString());
        Assert.True(IkeIdentity.TryCreate(type, identity.Data.Span, out IkeIdentity? read));
        Assert.Equal(identity, read);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("@example")]
    [InlineData("user@")]
    [InlineData("a@b@c")]
    [InlineData("@#0")]
    [InlineData("@#")]
    [InlineData("ümlaut.example")]
    public void What_is_none_is_refused(string text) => Assert.ThrowsAny<ArgumentException>(() => IkeIdentity.Parse(text));

    [Fact]
    public void Names_know_no_case_but_users_and_key_ids_do()
    {
        Assert.Equal(IkeIdentity.Fqdn("Gateway.Example"), IkeIdentity.Fqdn("gateway.example"));
        Assert.Equal(IkeIdentity.Fqdn("Gateway.Example").GetHashCode(), IkeIdentity.Fqdn("gateway.example").GetHashCode());
        Assert.Equal(IkeIdentity.Mail("user@Example"), IkeIdentity.Mail("user@example"));
        Assert.NotEqual(IkeIdentity.Mail("User@example"), IkeIdentity.Mail("user@example"));
        Assert.NotEqual(IkeIdentity.KeyId("A"u8), IkeIdentity.KeyId("a"u8));
        Assert.NotEqual(IkeIdentity.KeyId("a.example"u8), IkeIdentity.Fqdn("a.example"));
    }

    [Theory]
    [InlineData(IkeIdentityType.Ipv4Address, "c00002")]
    [InlineData(IkeIdentityType.Ipv6Address, "c0000207")]
    [InlineData(IkeIdentityType.Fqdn, "")]
    [InlineData(IkeIdentityType.Fqdn, "6100")]
    [InlineData(IkeIdentityType.Fqdn, "610d0a")]
    [InlineData(IkeIdentityType.Fqdn, "c3bc")]
    [InlineData(IkeIdentityType.Fqdn, "614062")]
    [InlineData(IkeIdentityType.Rfc822Address, "6162")]
    [InlineData(IkeIdentityType.DerAsn1Dn, "3005")]
    [InlineData(IkeIdentityType.DerAsn1Dn, "3000")]
    [InlineData(IkeIdentityType.DerAsn1Dn, "0400")]
    [InlineData((IkeIdentityType)4, "61")]
    [InlineData((IkeIdentityType)0, "61")]
    public void Bytes_that_are_none_of_the_type_are_refused(IkeIdentityType type, string hex)
    {
        Assert.False(IkeIdentity.TryCreate(type, Convert.FromHexString(hex), out IkeIdentity? identity));
        Assert.Null(identity);
    }

    [Fact]
    public void Names_that_were_cut_or_damaged_are_refused_without_an_exception()
    {
        byte[] name = [.. new X500DistinguishedName("CN=gateway, OU=Test, O=Example, C=XX").RawData];
        for (int length = 0; length < name.Length; length++)
            Assert.False(IkeIdentity.TryCreate(IkeIdentityType.DerAsn1Dn, name.AsSpan(0, length), out _));
        for (int i = 0; i < name.Length; i++)
        {
            byte[] damaged = [.. name];
            damaged[i] ^= 0x81;
            if (IkeIdentity.TryCreate(IkeIdentityType.DerAsn1Dn, damaged, out IkeIdentity? identity))
                Assert.NotEmpty(identity.ToString());
        }
    }

    [Fact]
    public void An_identity_has_a_greatest_size()
    {
        Assert.True(IkeIdentity.TryCreate(IkeIdentityType.KeyId, new byte[IkeIdentity.MaxSize], out _));
        Assert.False(IkeIdentity.TryCreate(IkeIdentityType.KeyId, new byte[IkeIdentity.MaxSize + 1], out _));
    }

    [Theory]
    [InlineData("%any", "a.example", true)]
    [InlineData("*", "192.0.2.1", true)]
    [InlineData("*.example", "a.Example", true)]
    [InlineData("*.example", "example", false)]
    [InlineData("*.example", "aexample", false)]
    [InlineData("*.example", "user@a.example", false)]
    [InlineData("*@example", "user@EXAMPLE", true)]
    [InlineData("*@example", "user@b.example", false)]
    [InlineData("a.example", "A.example", true)]
    [InlineData("a.example", "b.example", false)]
    [InlineData("192.0.2.1", "192.0.2.1", true)]
    public void A_pattern_takes_one_a_domain_or_all(string pattern, string identity, bool matches) =>
        Assert.Equal(matches, IkeIdentityPattern.Parse(pattern).Matches(IkeIdentity.Parse(identity)));

    [Theory]
    [InlineData("a.*")]
    [InlineData("*a")]
    [InlineData("*.*")]
    [InlineData("*@")]
    public void A_pattern_has_its_star_in_front_of_a_domain(string pattern) =>
        Assert.Throws<ArgumentException>(() => IkeIdentityPattern.Parse(pattern));

    [Fact]
    public void An_address_is_four_or_sixteen_bytes()
    {
        Assert.Equal(4, IkeIdentity.Address(IPAddress.Parse("192.0.2.1")).Data.Length);
        Assert.Equal(16, IkeIdentity.Address(IPAddress.IPv6Loopback).Data.Length);
    }
}
