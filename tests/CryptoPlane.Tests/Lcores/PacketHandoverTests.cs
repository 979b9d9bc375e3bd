using CryptoPlane.Buffers;
using CryptoPlane.Lcores;

namespace CryptoPlane.Tests.Lcores;

public sealed unsafe class PacketHandoverTests
{
    [Fact]
    public void Packets_cross_with_their_bytes_and_scratch_into_the_receivers_pool()
    {
        using var waker = new LcoreWaker();
        using var handover = new PacketHandover(8, waker);
        using var senders = new PacketPool(1, 2048);
        using var receivers = new PacketPool(8, 2048);
        Assert.True(senders.TryRent(out PacketBuffer* packet));

        for (int i = 0; i < 5; i++)
        {
            Assert.True(packet->TrySetLength(100 + i));
            packet->Span.Fill((byte)i);
            packet->Scratch[39] = (byte)(i + 1);
            Assert.True(handover.TryPost(packet));
        }
        handover.Flush();
        Assert.False(handover.IsEmpty);

        PacketBuffer** burst = stackalloc PacketBuffer*[8];
        Assert.Equal(3, handover.Receive(burst, 3, receivers));
        Assert.Equal(2, handover.Receive(burst + 3, 5, receivers));
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(100 + i, burst[i]->Length);
            Assert.Equal(-1, burst[i]->Span.IndexOfAnyExcept((byte)i));
            Assert.Equal(i + 1, burst[i]->Scratch[39]);
        }
        Assert.True(handover.IsEmpty);
        Assert.Equal(5, handover.SenderCounters[0]);
        Assert.Equal(5, handover.ReceiverCounters[0]);
    }

    [Fact]
    public void What_does_not_fit_is_counted_by_reason()
    {
        using var waker = new LcoreWaker();
        using var handover = new PacketHandover(2, waker);
        using var senders = new PacketPool(1, 4096);
        using var receivers = new PacketPool(1, 2048);
        Assert.True(senders.TryRent(out PacketBuffer* packet));

        Assert.True(packet->TrySetLength(PacketHandover.MaximumLength + 1));
        Assert.False(handover.TryPost(packet));
        Assert.True(packet->TrySetLength(64));
        Assert.True(handover.TryPost(packet));
        Assert.True(handover.TryPost(packet));
        Assert.False(handover.TryPost(packet));
        Assert.Equal(1, handover.SenderCounters[1]);
        Assert.Equal(1, handover.SenderCounters[2]);

        PacketBuffer** burst = stackalloc PacketBuffer*[2];
        Assert.Equal(1, handover.Receive(burst, 2, receivers));
        Assert.Equal(1, handover.ReceiverCounters[1]);
        Assert.True(handover.IsEmpty);
    }

    [Fact]
    public void Only_a_flush_wakes_a_sleeping_receiver()
    {
        using var waker = new LcoreWaker();
        using var handover = new PacketHandover(2, waker);
        using var senders = new PacketPool(1, 2048);
        Assert.True(senders.TryRent(out PacketBuffer* packet));
        waker.PrepareToSleep();
        handover.Flush();
        Assert.False(waker.Sleep(1));
        waker.PrepareToSleep();
        Assert.True(handover.TryPost(packet));
        handover.Flush();
        Assert.True(waker.Sleep(10_000));
    }
}
