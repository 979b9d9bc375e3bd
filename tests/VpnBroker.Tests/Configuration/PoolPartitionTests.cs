using System.Net;
using VpnBroker.Configuration;

namespace VpnBroker.Tests.Configuration;

public class PoolPartitionTests
{
    [Theory]
    [InlineData("10.77.0.0/16", 1, 0, "10.77.0.0/16")]
    [InlineData("10.77.0.0/16", 2, 1, "10.77.128.0/17")]
    [InlineData("10.77.0.0/16", 3, 2, "10.77.128.0/18")]
    [InlineData("10.77.0.0/16", 4, 1, "10.77.64.0/18")]
    [InlineData("fd00:77::/64", 4, 3, "fd00:77:0:0:c000::/66")]
    public void Each_lcore_has_a_prefix(string pool, int count, int lcore, string expected) =>
        Assert.Equal(IPNetwork.Parse(expected), PoolPartition.PrefixOf(IPNetwork.Parse(pool), lcore, count));

    [Theory]
    [InlineData("10.77.0.0/16", 5)]
    [InlineData("fd00:77::/64", 64)]
    public void Home_and_prefix_agree(string pool, int count)
    {
        IPNetwork network = IPNetwork.Parse(pool);
        for (int lcore = 0; lcore < count; lcore++)
        {
            IPNetwork prefix = PoolPartition.PrefixOf(network, lcore, count);
            Assert.Equal(lcore, PoolPartition.HomeOf(network, prefix.BaseAddress, count));
            byte[] last = prefix.BaseAddress.GetAddressBytes();
            last[^1] = 0xff;
            Assert.Equal(lcore, PoolPartition.HomeOf(network, new IPAddress(last), count));
        }
    }

    [Fact]
    public void Addresses_of_no_lcore_have_no_home()
    {
        IPNetwork pool = IPNetwork.Parse("10.77.0.0/16");
        Assert.Equal(-1, PoolPartition.HomeOf(pool, IPAddress.Parse("10.78.0.1"), 2));
        Assert.Equal(-1, PoolPartition.HomeOf(pool, IPAddress.Parse("10.77.255.1"), 3));
    }
}
