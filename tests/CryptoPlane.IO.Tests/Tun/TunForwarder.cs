using CryptoPlane.Buffers;
using CryptoPlane.Lcores;

namespace CryptoPlane.IO.Tests.Tun;

/// <summary>An lcore that moves packets between two TUN devices: the smallest program on lcores, epoll and ports.</summary>
internal sealed unsafe class TunForwarder : ILcoreWorker, IDisposable
{
    private const int Burst = 64;
    private const ulong WakerEvent = 2;

    private readonly PacketPool _pool = new(512, 2048);
    private readonly EpollSet _epoll = new();
    private readonly TunPort[] _ports;
    private readonly PacketBuffer*[] _burst = new PacketBuffer*[Burst];
    private readonly Lcore _lcore;
    private long _allocatedAtStart;
    private long _allocated;

    public TunForwarder(TunDevice left, TunDevice right, IdlePolicy idle)
    {
        _ports = [new TunPort(left, 0, _pool), new TunPort(right, 0, _pool)];
        _lcore = new Lcore(new LcoreOptions { Idle = idle }, this);
        Assert.True(_epoll.TryAdd(_lcore.Waker, WakerEvent));
        for (int i = 0; i < 2; i++)
            Assert.True(_epoll.TryAdd(_ports[i].FileDescriptor, EpollEvents.Readable, (ulong)i));
        _lcore.Start();
    }

    public PortCounters this[int port] => _ports[port].ReadCounters();

    public LcoreCounters Counters => _lcore.ReadCounters();

    /// <summary>Managed bytes that the lcore has allocated since its first busy turns.</summary>
    public long AllocatedBytes => Volatile.Read(ref _allocated);

    public bool HasPendingWork => _ports[0].HasPendingPackets || _ports[1].HasPendingPackets;

    public long NextDeadline => long.MaxValue;

    public void Start(Lcore lcore)
    {
    }

    public int Poll(long now)
    {
        int work = 0;
        fixed (PacketBuffer** burst = _burst)
        {
            for (int i = 0; i < 2; i++)
            {
                int count = _ports[i].Receive(burst, Burst);
                // An assertion of xUnit would allocate, which this lcore must not.
                if (count > 0 && _ports[1 - i].Transmit(burst, count) != count)
                    throw new InvalidOperationException("A TUN port takes every packet.");
                work += count;
            }
        }
        if (_allocatedAtStart == 0 && _ports[0].ReadCounters().ReceivedPackets > 1000)
            _allocatedAtStart = GC.GetAllocatedBytesForCurrentThread();
        if (_allocatedAtStart > 0)
            Volatile.Write(ref _allocated, GC.GetAllocatedBytesForCurrentThread() - _allocatedAtStart);
        return work;
    }

    public void WaitForEvents(int timeoutMilliseconds) => _epoll.Wait(timeoutMilliseconds);

    public void Stop() => Assert.Equal(_pool.Count, _pool.Available);

    /// <summary>Stops the lcore and fails the test if it failed.</summary>
    public void StopAndCheck()
    {
        _lcore.RequestStop();
        Assert.True(_lcore.Join(TimeSpan.FromSeconds(20)));
        Assert.Null(_lcore.Failure);
    }

    public void Dispose()
    {
        _lcore.Dispose();
        Array.ForEach(_ports, port => port.Dispose());
        _epoll.Dispose();
        _pool.Dispose();
    }
}
