using VpnBroker.DataPlane.Inner;
using VpnBroker.DataPlane.Routing;

namespace VpnBroker.Tests.DataPlane.Routing;

public sealed class HostTableTests
{
    [Fact]
    public void Table_AgreesWithADictionary()
    {
        const int capacity = 256;
        using var table = new HostTable(capacity);
        var model = new Dictionary<InnerAddress, int>();
        var random = new Random(11);
        for (int i = 0; i < 200_000; i++)
        {
            // Addresses that follow one another, of both families, as pools give them.
            InnerAddress address = random.Next(2) == 0
                ? new InnerAddress(4, 0, 0x0A08_0000u + (uint)random.Next(300))
                : new InnerAddress(6, 0xFD00_0008_0000_0000, (ulong)random.Next(300));
            int tunnel = random.Next(1000);
            switch (random.Next(3))
            {
                case 0:
                    bool fits = model.Count < capacity || model.ContainsKey(address);
                    Assert.Equal(fits, table.TrySet(address, tunnel));
                    if (fits)
                        model[address] = tunnel;
                    break;
                case 1:
                    int owner = model.TryGetValue(address, out int known) ? known : tunnel;
                    Assert.Equal(model.Remove(address), table.Remove(address, owner));
                    break;
                default:
                    Assert.Equal(model.TryGetValue(address, out int found) ? found : -1, table.Find(address));
                    break;
            }
            Assert.Equal(model.Count, table.Count);
        }
    }

    [Fact]
    public void Address_IsNotTakenFromItsNewTunnel()
    {
        using var table = new HostTable(4);
        var address = new InnerAddress(4, 0, 1);
        Assert.True(table.TrySet(address, 1));
        Assert.True(table.TrySet(address, 2));
        Assert.False(table.Remove(address, 1));
        Assert.Equal(2, table.Find(address));
    }

    [Fact]
    public void FamiliesDoNotMix()
    {
        using var table = new HostTable(4);
        Assert.True(table.TrySet(new InnerAddress(6, 0, 0x0A08_0001), 1));
        Assert.Equal(-1, table.Find(new InnerAddress(4, 0, 0x0A08_0001)));
    }
}
