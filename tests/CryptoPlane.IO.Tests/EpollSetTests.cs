using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.IO.Tests;

public sealed class EpollSetTests
{
    [Fact]
    public void Ready_descriptors_are_reported_with_their_data()
    {
        using var epoll = new EpollSet(4);
        using var first = new SocketPair();
        using var second = new SocketPair();
        Assert.True(epoll.TryAdd(first.File, EpollEvents.Readable, 0xFFFF_FFFF_0000_0001));
        Assert.True(epoll.TryAdd(second.File, EpollEvents.Readable | EpollEvents.PeerClosed, 2));
        Assert.Equal(0, epoll.Wait(0));

        first.Client.Send([1]);
        Assert.Equal(1, epoll.Wait(20_000));
        Assert.Equal(new EpollReady(0xFFFF_FFFF_0000_0001, EpollEvents.Readable), epoll[0]);

        second.Client.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        Eventually.True(() => epoll.Wait(100) == 2, "both are ready");
        EpollReady closed = epoll[0].UserData == 2 ? epoll[0] : epoll[1];
        Assert.Equal(EpollEvents.Readable | EpollEvents.PeerClosed, closed.Events);
        Assert.Throws<ArgumentOutOfRangeException>(() => epoll[2]);
    }

    [Fact]
    public void Interest_is_changed_and_withdrawn()
    {
        using var epoll = new EpollSet();
        using var pair = new SocketPair();
        Assert.True(epoll.TryAdd(pair.File, EpollEvents.None, 1));
        Assert.False(epoll.TryAdd(pair.File, EpollEvents.None, 1));
        Assert.Equal(0, epoll.Wait(0));
        Assert.True(epoll.TryModify(pair.File, EpollEvents.Writable, 3));
        Assert.Equal(1, epoll.Wait(20_000));
        Assert.Equal(new EpollReady(3, EpollEvents.Writable), epoll[0]);
        Assert.True(epoll.TryRemove(pair.File));
        Assert.False(epoll.TryRemove(pair.File));
        Assert.False(epoll.TryModify(pair.File, EpollEvents.Writable, 3));
        Assert.Equal(0, epoll.Wait(0));
        Assert.False(epoll.TryAdd(-1, EpollEvents.Readable, 0));
    }

    [Fact]
    public void More_ready_descriptors_than_fit_come_with_the_next_wait()
    {
        using var epoll = new EpollSet(1);
        using var first = new SocketPair();
        using var second = new SocketPair();
        Assert.True(epoll.TryAdd(first.File, EpollEvents.Writable, 1));
        Assert.True(epoll.TryAdd(second.File, EpollEvents.Writable, 2));
        Assert.Equal(1, epoll.Wait(20_000));
        ulong one = epoll[0].UserData;
        Assert.Equal(1, epoll.Wait(20_000));
        Assert.Equal(3UL, one + epoll[0].UserData);
    }

    /// <summary>Nobody reads the eventfd: each signal must end one wait all the same, and no more than one.</summary>
    [Fact]
    public void A_waker_ends_one_wait_for_each_signal()
    {
        using var epoll = new EpollSet();
        using var waker = new LcoreWaker();
        Assert.True(epoll.TryAdd(waker, 5));
        Assert.Equal(0, epoll.Wait(0));
        for (int i = 0; i < 100; i++)
        {
            waker.PrepareToSleep();
            waker.Wake();
            Assert.Equal(1, epoll.Wait(20_000));
            Assert.Equal(5UL, epoll[0].UserData);
            waker.Awake();
            Assert.Equal(0, epoll.Wait(0));
        }
    }
}
