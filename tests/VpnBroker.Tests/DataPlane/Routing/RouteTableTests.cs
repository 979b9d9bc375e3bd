using System.Net;
using VpnBroker.Configuration;
using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

public sealed unsafe class RouteTableTests
{
    [Theory]
    [InlineData(4, 1)]
    [InlineData(4, 2)]
    [InlineData(16, 3)]
    [InlineData(16, 4)]
    public void Lookup_AgreesWithTheNaiveModel(int bytes, int seed)
    {
        var random = new Random(seed);
        var routes = new List<Route>();
        for (int i = 0; i < 600; i++)
        {
            // Few distinct bits, so that prefixes nest; all lengths, 0 and the host's included.
            byte[] address = Address(random, bytes);
            int length = i == 0 ? 0 : random.Next(0, (bytes * 8) + 1);
            routes.Add(new Route(Prefix(address, length), new RouteTarget(RouteKind.Esp, i)));
        }
        ForwardingSnapshot* table = ForwardingSnapshot.Create(routes);
        for (int i = 0; i < 20_000; i++)
        {
            IPAddress address = i < routes.Count ? routes[i].Prefix.BaseAddress : new IPAddress(Address(random, bytes));
            Route? best = null;
            foreach (Route route in routes)
            {
                if (route.Prefix.Contains(address) && (best == null || route.Prefix.PrefixLength > best.Value.Prefix.PrefixLength))
                    best = route;
            }
            Assert.Equal(best?.Target ?? default, table->Find(InnerAddress.From(address)));
        }
        ForwardingSnapshot.Free(table);
    }

    [Fact]
    public void EmptyTable_LeadsNowhere()
    {
        ForwardingSnapshot* table = ForwardingSnapshot.Create([]);
        Assert.Equal(RouteKind.None, table->Find(InnerAddress.From(IPAddress.Parse("10.0.0.1"))).Kind);
        Assert.Equal(RouteKind.None, table->Find(InnerAddress.From(IPAddress.Parse("2001:db8::1"))).Kind);
        ForwardingSnapshot.Free(table);
    }

    [Fact]
    public void Configuration_BecomesRoutes()
    {
        var config = new BrokerConfig
        {
            Lcores = new LcoreConfig { Cpus = [-1, -1] },
            Pools = [new PoolConfig { Name = "p", IPv4 = IPNetwork.Parse("10.8.0.0/16"), IPv6 = IPNetwork.Parse("fd00:8::/64") }],
            Tun = new TunConfig
            {
                Addresses = [new InterfaceAddress(IPAddress.Parse("10.8.0.1"), 16)], Routes = [IPNetwork.Parse("0.0.0.0/0")],
            },
        };
        ForwardingSnapshot* table = ForwardingSnapshot.Create(config, []);
        RouteTarget Find(string address) => table->Find(InnerAddress.From(IPAddress.Parse(address)));
        Assert.Equal(new RouteTarget(RouteKind.Users, 0), Find("10.8.0.2"));
        Assert.Equal(new RouteTarget(RouteKind.Users, 1), Find("10.8.128.2"));
        Assert.Equal(new RouteTarget(RouteKind.Users, 1), Find("fd00:8::8000:0:0:1"));
        Assert.Equal(RouteKind.Tun, Find("10.8.0.1").Kind);
        Assert.Equal(RouteKind.Tun, Find("192.0.2.1").Kind);
        Assert.Equal(RouteKind.None, Find("2001:db8::1").Kind);
        ForwardingSnapshot.Free(table);
    }

    private static byte[] Address(Random random, int bytes)
    {
        byte[] address = new byte[bytes];
        for (int i = 0; i < bytes; i++)
            address[i] = (byte)(random.Next(4) == 0 ? random.Next(256) : random.Next(2) * 0x80);
        return address;
    }

    private static IPNetwork Prefix(byte[] address, int length)
    {
        for (int bit = length; bit < address.Length * 8; bit++)
            address[bit >> 3] &= (byte)~(0x80 >> (bit & 7));
        return new IPNetwork(new IPAddress(address), length);
    }
}
