using System.Net;
using System.Net.Sockets;
using CryptoPlane.Ike.RemoteAccess;

namespace CryptoPlane.Ike.Tests.RemoteAccess;

public class IkeAddressPoolTests
{
    [Fact]
    public void Every_address_but_the_reserved_ones_is_leased_once()
    {
        IkeAddressPool pool = new(IPNetwork.Parse("10.1.0.0/29"), null, IPAddress.Parse("10.1.0.1"), IPAddress.Parse("10.9.9.9"));
        List<string> leased = [];
        while (pool.TryLease("u", AddressFamily.InterNetwork, null, out IPAddress? address))
            leased.Add(address.ToString());
        Assert.Equal(["10.1.0.2", "10.1.0.3", "10.1.0.4", "10.1.0.5", "10.1.0.6"], leased);
        Assert.False(pool.TryLease("u", AddressFamily.InterNetworkV6, null, out _));
    }

    [Fact]
    public void What_is_given_back_is_given_out_last()
    {
        IkeAddressPool pool = new(IPNetwork.Parse("10.1.0.0/29"), null);
        IPAddress first = Lease(pool);
        pool.Release(first);
        List<IPAddress> next = [.. Enumerable.Range(0, 6).Select(_ => Lease(pool))];
        Assert.Equal(first, next[^1]);
        Assert.Equal(6, next.Distinct().Count());
    }

    [Fact]
    public void A_wish_is_granted_where_the_address_is_free()
    {
        IkeAddressPool pool = new(IPNetwork.Parse("10.1.0.0/24"), null);
        IPAddress wanted = IPAddress.Parse("10.1.0.77");
        Assert.Equal(wanted, Lease(pool, wanted));
        Assert.NotEqual(wanted, Lease(pool, wanted));
        foreach (string text in new[] { "10.1.0.0", "10.1.0.255", "10.2.0.1", "10.0.255.255", "2001:db8::1" })
            Assert.NotEqual(IPAddress.Parse(text), Lease(pool, IPAddress.Parse(text)));
        // Reserved addresses and others' do not come in by being given back.
        pool.Release(IPAddress.Parse("10.1.0.0"));
        pool.Release(IPAddress.Parse("10.2.0.1"));
        Assert.NotEqual(IPAddress.Parse("10.1.0.0"), Lease(pool, IPAddress.Parse("10.1.0.0")));
        pool.Release(wanted);
        Assert.Equal(wanted, Lease(pool, wanted));
    }

    [Theory]
    [InlineData("10.0.0.0/12", IkeAddressPool.MaxAddresses - 2)]
    [InlineData("10.0.0.4/31", 2)]
    [InlineData("10.0.0.4/32", 1)]
    [InlineData("2001:db8::/64", IkeAddressPool.MaxAddresses - 1)]
    [InlineData("2001:db8::/126", 3)]
    [InlineData("2001:db8::/127", 1)]
    [InlineData("2001:db8::7/128", 1)]
    public void Prefixes_of_every_size_work(string text, int count)
    {
        IPNetwork prefix = IPNetwork.Parse(text);
        bool ipv6 = prefix.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;
        IkeAddressPool pool = new(ipv6 ? null : prefix, ipv6 ? prefix : null);
        int leased = 0;
        while (pool.TryLease("u", prefix.BaseAddress.AddressFamily, null, out IPAddress? address))
        {
            Assert.True(prefix.Contains(address));
            leased++;
        }
        Assert.Equal(count, leased);
    }

    [Fact]
    public void A_prefix_of_the_other_family_is_a_misuse()
    {
        Assert.Throws<ArgumentException>(() => new IkeAddressPool(IPNetwork.Parse("2001:db8::/64"), null));
        Assert.Throws<ArgumentException>(() => new IkeAddressPool(null, IPNetwork.Parse("10.0.0.0/8")));
    }

    private static IPAddress Lease(IkeAddressPool pool, IPAddress? wanted = null)
    {
        Assert.True(pool.TryLease("u", AddressFamily.InterNetwork, wanted, out IPAddress? address));
        return address;
    }
}
