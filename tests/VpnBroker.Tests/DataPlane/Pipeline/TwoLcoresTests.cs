using CryptoPlane.Lcores;
using VpnBroker.DataPlane.Counters;

namespace VpnBroker.Tests.DataPlane.Pipeline;

/// <summary>Two lcores with rings between them: what arrives at the wrong one is handed over once, and counted.</summary>
public sealed class TwoLcoresTests
{
    [Fact]
    public void PacketForAUserOfAnotherLcore_CrossesOnce()
    {
        using var first = new WorkerBed(0);
        using var second = new WorkerBed(1);
        using var rings = new Rings(first, second);
        TestUser near = first.Connect("10.8.0.10"), far = second.Connect("10.8.1.10");
        for (int i = 0; i < 20; i++)
            near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.1.10", 400, seed: i));
        first.Tun.Incoming.Enqueue(InnerPackets.Udp("192.0.2.1", "10.8.1.10"));
        first.Poll();
        Assert.False(second.Context.HandOverFrom[0]!.IsEmpty);
        Assert.True(second.Worker.HasPendingWork);
        second.Poll();
        far.Receive();
        Assert.Equal(21, far.Packets.Count);
        Assert.Equal(ForwardingTests.OneHopLess(InnerPackets.Udp("10.8.0.10", "10.8.1.10", 400, seed: 3)), far.Packets[4]);
        Assert.Equal((21ul, 21ul), (first.Counters.HandedOver, second.Counters.TakenOver));
        first.AssertNothingHeld();
        second.AssertNothingHeld();
    }

    [Fact]
    public void LcoreThatSleeps_IsWokenForWhatIsHandedOver()
    {
        using var first = new WorkerBed(0);
        using var second = new WorkerBed(1);
        using var rings = new Rings(first, second);
        TestUser near = first.Connect("10.8.0.10"), far = second.Connect("10.8.1.10");
        second.Waker.PrepareToSleep();
        second.Worker.WaitForEvents(0);
        Assert.Equal(0, second.Context.Epoll.ReadyCount);
        near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.1.10"));
        first.Poll();
        second.Worker.WaitForEvents(0);
        Assert.Equal(1, second.Context.Epoll.ReadyCount);
        second.Waker.Awake();
        second.Poll();
        far.Receive();
        Assert.Single(far.Packets);
    }

    [Fact]
    public void ErrorsFindTheirWayBack()
    {
        using var first = new WorkerBed(0);
        using var second = new WorkerBed(1);
        using var rings = new Rings(first, second);
        TestUser near = first.Connect("10.8.0.10");
        near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.1.99"));
        first.Poll();
        second.Poll();
        first.Poll();
        near.Receive();
        Assert.Equal(1ul, second.Counters.Dropped(DropReason.NoTunnel));
        Assert.Equal((3, 0), (Assert.Single(near.Packets)[20], near.Packets[0][21]));
    }

    [Fact]
    public void FullRing_DropsAndCounts()
    {
        using var first = new WorkerBed(0);
        using var second = new WorkerBed(1);
        using var rings = new Rings(first, second);
        TestUser near = first.Connect("10.8.0.10");
        for (int i = 0; i < 100; i++)
            near.SendPacket(InnerPackets.Udp("10.8.0.10", "10.8.1.10"));
        first.Poll();
        Assert.Equal((ulong)Rings.Capacity, first.Counters.HandedOver);
        Assert.Equal(100ul - Rings.Capacity, first.Counters.Dropped(DropReason.HandOverFull));
        first.AssertNothingHeld();
    }

    /// <summary>The rings between two beds.</summary>
    internal sealed class Rings : IDisposable
    {
        public const int Capacity = 64;

        private readonly PacketHandover _there;
        private readonly PacketHandover _back;

        public Rings(WorkerBed first, WorkerBed second)
        {
            _there = new PacketHandover(Capacity, second.Waker);
            _back = new PacketHandover(Capacity, first.Waker);
            first.Context.HandOverTo = [null, _there];
            first.Context.HandOverFrom = [null, _back];
            second.Context.HandOverTo = [_back, null];
            second.Context.HandOverFrom = [_there, null];
        }

        public void Dispose()
        {
            _there.Dispose();
            _back.Dispose();
        }
    }
}
