using System.Security.Cryptography;
using CryptoPlane.Buffers;

namespace CryptoPlane.Dpdk.Tests.Ports;

public sealed unsafe class EthPortTests
{
    private const int Burst = 300;

    [Fact]
    public void A_burst_of_frames_goes_through_a_ring_and_back_without_a_copy()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(1000, 2048, 128, new DpdkPacketBlocks());
        using (EthPort port = EthPort.Open(EthPort.Find(DpdkTestBed.Ring), [pool]))
        {
            Assert.Equal("net_ring", port.Info.Driver);
            Assert.Equal(6, port.Info.Mac.GetAddressBytes().Length);
            EthQueue queue = port.Queue(0);
            PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
            PacketBuffer** sent = stackalloc PacketBuffer*[Burst];
            byte[][] contents = new byte[Burst][];
            ulong bytes = 0;
            for (int round = 0; round < 3; round++)
            {
                for (int i = 0; i < Burst; i++)
                {
                    Assert.True(pool.TryRent(out sent[i]));
                    contents[i] = RandomNumberGenerator.GetBytes(60 + (i * 4));
                    // Frames begin where the packet begins, wherever that is in the buffer.
                    Assert.True(sent[i]->TryReset(i % 200));
                    Assert.True(sent[i]->TrySetLength(contents[i].Length));
                    contents[i].CopyTo(sent[i]->Span);
                    bytes += (ulong)contents[i].Length;
                }
                Assert.Equal(Burst, queue.Transmit(sent, Burst));
                Assert.Equal(Burst, queue.Receive(burst, Burst));
                Assert.Equal(0, queue.Receive(burst + Burst - 1, 1));
                for (int i = 0; i < Burst; i++)
                {
                    Assert.True(burst[i] == sent[i]);
                    Assert.Equal(i % 200, burst[i]->Headroom);
                    Assert.Equal(contents[i], burst[i]->Span.ToArray());
                    Assert.Equal(PacketFlags.None, burst[i]->Flags);
                    pool.Return(burst[i]);
                }
            }
            EthQueueCounters counters = queue.ReadCounters();
            Assert.Equal(3ul * Burst, counters.ReceivedFrames);
            Assert.Equal(3ul * Burst, counters.TransmittedFrames);
            Assert.Equal(bytes, counters.ReceivedBytes);
            Assert.Equal(bytes, counters.TransmittedBytes);
            Assert.Equal(3ul * Burst, port.ReadCounters().TransmittedFrames);
            Assert.True(port.Link.IsUp);
            Assert.False(port.Link.IsRemoved);
            // A ring has no classifier.
            Assert.False(port.TrySteerEsp(0, 4, 0x01000000));
            Assert.False(port.TrySteerUdp(0, 6, 4500));
        }
        Assert.Equal(pool.Count, pool.Available);
    }

    [Fact]
    public void A_full_ring_takes_a_part_and_the_rest_stays_with_the_caller()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(4096, 1792, 128, new DpdkPacketBlocks());
        int taken = 0;
        using (EthPort port = EthPort.Open(EthPort.Find(DpdkTestBed.SecondRing), [pool], new EthPortOptions { TransmitDescriptors = 64 }))
        {
            EthQueue queue = port.Queue(0);
            PacketBuffer** burst = stackalloc PacketBuffer*[4096];
            for (int i = 0; i < 4096; i++)
            {
                Assert.True(pool.TryRent(out burst[i]));
                Assert.True(burst[i]->TrySetLength(64));
            }
            taken = queue.Transmit(burst, 4096);
            Assert.InRange(taken, 64, 4095);
            Assert.Equal(0, queue.Transmit(burst + taken, 4096 - taken));
            Assert.Equal(2ul, queue.ReadCounters().ShortBursts);
            pool.Return(burst + taken, 4096 - taken);
            Assert.Equal(taken, queue.Receive(burst, 4096));
            pool.Return(burst, taken);
        }
        Assert.Equal(pool.Count, pool.Available);
    }

    [Fact]
    public void An_empty_pool_receives_nothing_and_packets_of_ordinary_memory_are_refused()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(128, 2048, 128, new DpdkPacketBlocks());
        using var ordinary = new PacketPool(8, 2048);
        using EthPort port = EthPort.Open(EthPort.Find(DpdkTestBed.NullPort), [pool]);
        EthQueue queue = port.Queue(0);
        PacketBuffer** burst = stackalloc PacketBuffer*[128];

        Assert.Equal(32, queue.Receive(burst, 32));
        Assert.Equal(64, burst[0]->Length);
        Assert.Equal(128, burst[0]->Headroom);
        Assert.Equal(32, queue.Transmit(burst, 32));
        Assert.Equal(128, pool.Available);

        for (int i = 0; i < 128; i++)
            Assert.True(pool.TryRent(out burst[i]));
        PacketBuffer* none;
        Assert.Equal(0, queue.Receive(&none, 1));
        pool.Return(burst, 128);

        Assert.True(ordinary.TryRent(out PacketBuffer* foreign));
        foreign->TrySetLength(64);
        burst[0] = foreign;
        Assert.Throws<InvalidOperationException>(() => Send(queue, (nint)foreign));
        Assert.Throws<ArgumentException>(() => EthPort.Open(port.Info, [ordinary]));
        ordinary.Return(foreign);
    }

    [Fact]
    public void Bursts_allocate_nothing()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(512, 2048, 128, new DpdkPacketBlocks());
        using EthPort port = EthPort.Open(EthPort.Find("net_null1"), [pool]);
        EthQueue queue = port.Queue(0);
        PacketBuffer** burst = stackalloc PacketBuffer*[64];
        Echo(10);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Echo(10_000);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(512, pool.Available);

        void Echo(int rounds)
        {
            for (int i = 0; i < rounds; i++)
                queue.Transmit(burst, queue.Receive(burst, 64));
        }
    }

    [Fact]
    public void What_cannot_be_is_refused_with_what_to_do()
    {
        DpdkTestBed.Require();
        using var pool = new PacketPool(128, 1000, 128, new DpdkPacketBlocks());
        var missing = Assert.Throws<DpdkException>(() => EthPort.Find("net_nothing7"));
        Assert.Contains("net_null2", missing.Message, StringComparison.Ordinal);
        EthPortInfo info = EthPort.Find("net_null2");
        Assert.Throws<ArgumentOutOfRangeException>(() => EthPort.Open(info, []));
        Assert.Throws<ArgumentException>(() => EthPort.Open(info, [pool, pool]));
        Assert.Throws<ArgumentOutOfRangeException>(() => EthPort.Open(info, [pool], new EthPortOptions { Mtu = 20 }));
        var small = Assert.Throws<DpdkException>(() => EthPort.Open(info, [pool], new EthPortOptions { Mtu = 1500 }));
        Assert.Contains("EthPortOptions.Mtu", small.Message, StringComparison.Ordinal);
    }

    private static int Send(EthQueue queue, nint packet)
    {
        PacketBuffer* buffer = (PacketBuffer*)packet;
        return queue.Transmit(&buffer, 1);
    }
}
