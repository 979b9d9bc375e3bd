using System.Net;
using CryptoPlane.Ports;
using VpnBroker.DataPlane.Dtls;

namespace VpnBroker.Tests.DataPlane.Dtls;

public sealed class DtlsPeersTests
{
    [Fact]
    public void Addresses_are_found_until_they_are_removed_by_whose_they_are()
    {
        using var peers = new DtlsPeers(100);
        var random = new Random(3);
        var known = new Dictionary<ulong, (int Lcore, int Slot)>();
        for (int i = 0; i < 5000; i++)
        {
            ulong key = DtlsPeers.KeyOf(Endpoint(random.Next(256), random.Next(4)));
            if (random.Next(2) == 0)
            {
                bool fits = known.ContainsKey(key) || known.Count < 200;
                Assert.Equal(fits, peers.TrySet(key, i % 3, i));
                if (fits)
                    known[key] = (i % 3, i);
            }
            else if (known.TryGetValue(key, out (int Lcore, int Slot) place))
            {
                peers.Remove(key, place.Lcore, place.Slot + 1);
                Assert.True(peers.TryFind(key, out _, out _));
                peers.Remove(key, place.Lcore, place.Slot);
                known.Remove(key);
            }
            Assert.Equal(known.Count, peers.Count);
        }
        foreach ((ulong key, (int Lcore, int Slot) place) in known)
        {
            Assert.True(peers.TryFind(key, out int lcore, out int slot));
            Assert.Equal(place, (lcore, slot));
        }
    }

    [Fact]
    public void The_port_counts_and_the_host_alone_does_not_have_it()
    {
        Assert.NotEqual(DtlsPeers.KeyOf(Endpoint(1, 1)), DtlsPeers.KeyOf(Endpoint(1, 2)));
        Assert.Equal(DtlsPeers.HostKeyOf(Endpoint(1, 1)), DtlsPeers.HostKeyOf(Endpoint(1, 2)));
        Assert.NotEqual(DtlsPeers.HostKeyOf(Endpoint(1, 1)), DtlsPeers.HostKeyOf(Endpoint(2, 1)));
        Assert.NotEqual(DtlsPeers.HostKeyOf(Endpoint(1, 1)), DtlsPeers.KeyOf(Endpoint(1, 1)));
    }

    private static PacketEndpoint Endpoint(int host, int port) => PacketEndpoint.From(new IPEndPoint(new IPAddress([198, 51, 100, (byte)host]), 4000 + port));
}
