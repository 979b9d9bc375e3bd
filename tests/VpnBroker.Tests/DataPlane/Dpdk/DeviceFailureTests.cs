using CryptoPlane.Aead;
using CryptoPlane.Dpdk;
using CryptoPlane.Esp;
using Microsoft.Extensions.Logging.Abstractions;
using VpnBroker.DataPlane.Dpdk;
using VpnBroker.DataPlane.Pipeline;
using VpnBroker.Tests.DataPlane.Pipeline;

namespace VpnBroker.Tests.DataPlane.Dpdk;

/// <summary>A device that stalls while it has a burst: the lcore goes on with its CPU, and says what that cost.</summary>
[Collection(nameof(DpdkDevicesGroup))]
public sealed class DeviceFailureTests
{
    private const string User = "10.8.0.10", Host = "10.20.0.1";

    [Fact]
    public void Records_that_a_stalled_device_has_are_opened_by_the_cpu_and_none_is_lost()
    {
        DpdkBed.Require();
        using Cryptodev device = Cryptodev.Open(Cryptodev.Find(DpdkBed.First));
        var stalling = new StallingDevice(device.CreateBackend());
        AeadEngine engine = DpdkBed.CreateEngine(stalling);
        using var watch = new DeviceWatch([device], [], NullLogger.Instance);
        using (var link = new EspForwardingTests.EspLink(users: new LcoreSupplies { Engine = engine, Memory = new DpdkPacketMemory() }))
        {
            TestUser client = link.Users.Connect(User);
            Send(link, client, 40);
            Assert.Equal(40, link.Network.Tun.Outgoing.Count);

            // The lcore waits in its burst until the watch has stopped the device.
            stalling.Stalls = true;
            Send(link, client, 40);
            Assert.Equal(40, stalling.Caught);
            Assert.True(device.IsStopped);
            Assert.Equal(80, link.Network.Tun.Outgoing.Count);
            Assert.Equal(0ul, link.Users.Worker.EspSealDrops[EspDropReason.EngineFailed]);
            link.Users.AssertNothingHeld();
        }
    }

    [Fact]
    public void Packets_that_were_being_sealed_in_place_are_dropped_and_counted()
    {
        DpdkBed.Require();
        using Cryptodev device = Cryptodev.Open(Cryptodev.Find(DpdkBed.First));
        var stalling = new StallingDevice(device.CreateBackend());
        AeadEngine engine = DpdkBed.CreateEngine(stalling);
        using var watch = new DeviceWatch([device], [], NullLogger.Instance);
        using (var link = new EspForwardingTests.EspLink(network: new LcoreSupplies { Engine = engine, Memory = new DpdkPacketMemory() }))
        {
            TestUser client = link.Users.Connect(User);
            stalling.Stalls = true;
            for (int i = 0; i < 30; i++)
                link.Network.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, User, 300, seed: i));
            link.Exchange();
            client.Receive();
            Assert.Equal(30, stalling.Caught);
            Assert.Empty(client.Packets);
            Assert.Equal(30ul, link.Network.Worker.EspSealDrops[EspDropReason.EngineFailed]);

            for (int i = 0; i < 30; i++)
                link.Network.Tun.Incoming.Enqueue(InnerPackets.Udp(Host, User, 300, seed: i));
            link.Exchange();
            client.Receive();
            Assert.Equal(30, client.Packets.Count);
            link.Network.AssertNothingHeld();
        }
    }

    private static void Send(EspForwardingTests.EspLink link, TestUser client, int count)
    {
        for (int i = 0; i < count; i++)
            client.SendPacket(InnerPackets.Udp(User, Host, 200, seed: i));
        link.Exchange();
    }
}
