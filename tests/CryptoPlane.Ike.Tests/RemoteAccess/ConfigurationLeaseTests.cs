using System.Net;
using CryptoPlane.Ike.RemoteAccess;
using CryptoPlane.Ike.Wire;
using Attribute = CryptoPlane.Ike.Wire.ConfigurationAttribute;
using Kind = CryptoPlane.Ike.Wire.ConfigurationAttributeType;

namespace CryptoPlane.Ike.Tests.RemoteAccess;

public class ConfigurationLeaseTests
{
    private readonly IkeRemoteAccess _access = new()
    {
        Addresses = new IkeAddressPool(IPNetwork.Parse("10.1.0.0/30"), IPNetwork.Parse("2001:db8:1::/126")),
        NameServers = [IPAddress.Parse("192.0.2.53"), IPAddress.Parse("192.0.2.54"), IPAddress.Parse("2001:db8::53")],
        Subnets = [IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("2001:db8::/32")],
    };

    [Fact]
    public void Everything_that_was_asked_for_is_given()
    {
        using ConfigurationLease? lease = Ask(Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp4Netmask), Empty(Kind.InternalIp4Dns), Empty(Kind.InternalIp4Subnet),
            Empty(Kind.InternalIp6Address), Empty(Kind.InternalIp6Dns), Empty(Kind.InternalIp6Subnet), Empty(Kind.ApplicationVersion), Empty(Kind.InternalIp4Nbns));
        Assert.Equal(ConfigurationType.Reply, lease!.Reply.ConfigurationType);
        Assert.Equal(
        [
            "InternalIp4Address 0a010001", "InternalIp4Netmask ffffffff", "InternalIp6Address 20010db800010000000000000000000180",
            "InternalIp4Dns c0000235", "InternalIp4Dns c0000236", "InternalIp4Subnet c0000200ffffff00", "InternalIp4Subnet 0000000000000000",
            "InternalIp6Dns 20010db8000000000000000000000053", "InternalIp6Subnet 20010db800000000000000000000000020",
        ], Texts(lease));
        Assert.Equal(["10.1.0.1/32", "2001:db8:1::1/128"], lease.Selectors.Select(s => s.ToString()));
    }

    [Fact]
    public void What_was_not_asked_for_is_not_given()
    {
        using ConfigurationLease? lease = Ask(Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp6Dns));
        Assert.Equal(["InternalIp4Address 0a010001", "InternalIp4Netmask ffffffff"], Texts(lease!));
        Assert.Null(Ask(Empty(Kind.InternalIp4Dns)));
        Assert.False(ConfigurationLease.AsksForAddress(new ConfigurationPayload(ConfigurationType.Request, [Empty(Kind.InternalIp4Dns)])));
        Assert.True(ConfigurationLease.AsksForAddress(new ConfigurationPayload(ConfigurationType.Request, [Empty(Kind.InternalIp6Address)])));
    }

    [Fact]
    public void A_user_has_one_address_of_a_family_until_it_goes()
    {
        ConfigurationLease? first = Ask(Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp4Address));
        ConfigurationLease? second = Ask(Empty(Kind.InternalIp4Address));
        Assert.Equal("10.1.0.1", Assert.Single(first!.Addresses).ToString());
        Assert.Equal("10.1.0.2", Assert.Single(second!.Addresses).ToString());
        Assert.Null(Ask(Empty(Kind.InternalIp4Address)));
        // Of two families one is better than none.
        using ConfigurationLease? other = Ask(Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp6Address));
        Assert.Equal("2001:db8:1::1", Assert.Single(other!.Addresses).ToString());
        first.Dispose();
        first.Dispose();
        using ConfigurationLease? third = Ask(Empty(Kind.InternalIp4Address));
        Assert.Equal("10.1.0.1", Assert.Single(third!.Addresses).ToString());
    }

    [Theory]
    [InlineData("0a010002", "10.1.0.2")]
    [InlineData("00000000", "10.1.0.1")]
    [InlineData("0a02", "10.1.0.1")]
    [InlineData("0a010002ffffffffff", "10.1.0.1")]
    [InlineData("c0000201", "10.1.0.1")]
    public void An_address_may_be_wished_for(string value, string given)
    {
        using ConfigurationLease? lease = Ask(new Attribute(Kind.InternalIp4Address, Convert.FromHexString(value)));
        Assert.Equal(given, Assert.Single(lease!.Addresses).ToString());
    }

    [Fact]
    public void An_IPv6_address_is_wished_for_with_a_prefix_length()
    {
        using ConfigurationLease? lease = Ask(new Attribute(Kind.InternalIp6Address, [.. IPAddress.Parse("2001:db8:1::3").GetAddressBytes(), 64]));
        Assert.Equal(["InternalIp6Address 20010db800010000000000000000000380"], Texts(lease!));
    }

    [Fact]
    public void What_is_granted_but_not_asked_for_stays_unused_and_comes_back()
    {
        Granting access = new(new IkeUserGrant
        {
            Addresses = [IPAddress.Parse("10.1.0.7"), IPAddress.Parse("2001:db8:1::7")],
            NameServers = [IPAddress.Parse("192.0.2.53")],
            Domains = ["corp.example", "lab.example"],
        });
        ConfigurationLease lease = Ask(access, Empty(Kind.InternalIp4Address), Empty(Kind.InternalIp4Dns), Empty(Kind.InternalDnsDomain))!;
        Assert.Equal(["10.1.0.7/32"], lease.Selectors.Select(s => s.ToString()));
        Assert.Equal(
            ["InternalIp4Address 0a010007", "InternalIp4Netmask ffffffff", "InternalIp4Dns c0000235", "InternalDnsDomain 636f72702e6578616d706c65", "InternalDnsDomain 6c61622e6578616d706c65"],
            Texts(lease));
        Assert.True(access.Asked is { AsksIPv4: true, AsksIPv6: false, User: "user" });
        Assert.Equal(0, access.Released);
        lease.Dispose();
        lease.Dispose();
        Assert.Equal(1, access.Released);
        // RFC 8598 §3.1: no domains without the servers that know them.
        using ConfigurationLease other = Ask(access, Empty(Kind.InternalIp4Address), Empty(Kind.InternalDnsDomain))!;
        Assert.Equal(2, other.Reply.Attributes.Count);
        // Nothing of what is granted was asked for: it goes back at once.
        Granting ipv6 = new(new IkeUserGrant { Addresses = [IPAddress.Parse("2001:db8:1::7")] });
        Assert.Null(Ask(ipv6, Empty(Kind.InternalIp4Address)));
        Assert.Equal(1, ipv6.Released);
    }

    [Fact]
    public void A_grant_has_one_address_of_a_family() =>
        Assert.Throws<ArgumentException>(() => new IkeUserGrant { Addresses = [IPAddress.Parse("10.1.0.7"), IPAddress.Parse("10.1.0.8")] });

    private ConfigurationLease? Ask(params Attribute[] attributes) => Ask(_access, attributes);

    private static ConfigurationLease? Ask(IIkeRemoteAccess access, params Attribute[] attributes) => ConfigurationLease.TryCreate(
        new ConfigurationPayload(ConfigurationType.Request, attributes), access,
        new IkeUserRequest { IkeSa = 1, Connection = "users", User = "user", Remote = new IPEndPoint(IPAddress.Loopback, 4500) });

    private sealed class Granting(IkeUserGrant grant) : IIkeRemoteAccess
    {
        public IkeUserRequest? Asked { get; private set; }

        public int Released { get; private set; }

        public IkeUserGrant Admit(IkeUserRequest user)
        {
            Asked = user;
            return grant;
        }

        public void Release(IkeUserGrant released)
        {
            Assert.Same(grant, released);
            Released++;
        }
    }

    private static Attribute Empty(Kind kind) => new(kind, []);

    private static IEnumerable<string> Texts(ConfigurationLease lease) => lease.Reply.Attributes.Select(a => $"{a.Type} {Convert.ToHexStringLower(a.Value)}");
}
