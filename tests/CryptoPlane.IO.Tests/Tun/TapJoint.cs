using CryptoPlane.Buffers;

namespace CryptoPlane.IO.Tests.Tun;

/// <summary>Moves frames between two TAP devices on the test's own thread.</summary>
internal sealed unsafe class TapJoint : IDisposable
{
    private const int Burst = 32;

    private readonly PacketPool _pool = new(256, 2048);
    private readonly EpollSet _epoll = new();
    private readonly TapPort[] _ports;

    public TapJoint(TapDevice left, TapDevice right)
    {
        _ports = [new TapPort(left, 0, _pool), new TapPort(right, 0, _pool)];
        foreach (TapPort port in _ports)
            Assert.True(_epoll.TryAdd(port.FileDescriptor, EpollEvents.Readable, 0));
    }

    public PortCounters this[int port] => _ports[port].ReadCounters();

    /// <summary>Managed bytes that moving frames has allocated, without the first hundred bursts.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>Moves frames until a condition holds, at most 30 s.</summary>
    public void RunUntil(Func<bool> done)
    {
        long deadline = Environment.TickCount64 + 30_000;
        while (!done())
        {
            Assert.True(Environment.TickCount64 < deadline, "The condition did not hold within 30 s.");
            _epoll.Wait(20);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            Turn();
            if (_ports[0].ReadCounters().ReceivedPackets > 100)
                AllocatedBytes += GC.GetAllocatedBytesForCurrentThread() - allocated;
        }
    }

    public void Dispose()
    {
        Assert.Equal(_pool.Count, _pool.Available);
        Array.ForEach(_ports, port => port.Dispose());
        _epoll.Dispose();
        _pool.Dispose();
    }

    private void Turn()
    {
        PacketBuffer** burst = stackalloc PacketBuffer*[Burst];
        for (int i = 0; i < 2; i++)
        {
            int count = _ports[i].Receive(burst, Burst);
            if (_ports[1 - i].Transmit(burst, count) != count)
                throw new InvalidOperationException("A TAP port takes every frame.");
        }
    }
}
