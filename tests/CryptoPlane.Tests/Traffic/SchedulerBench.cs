using CryptoPlane.Buffers;
using CryptoPlane.Traffic;

namespace CryptoPlane.Tests.Traffic;

/// <summary>A scheduler with packets, a clock of its own, and books about what went in and came out.</summary>
internal sealed unsafe class SchedulerBench : IDisposable
{
    public const long Second = 1_000_000_000, Millisecond = 1_000_000, Microsecond = 1_000;

    private readonly PacketPool _pool;
    private readonly PacketBuffer*[] _burst = new PacketBuffer*[64];

    public SchedulerBench(TrafficSchedulerOptions options, int packets = 20_000)
    {
        Options = options;
        Scheduler = new TrafficScheduler(options);
        _pool = new PacketPool(packets, 1_700, 64);
        Sent = new long[options.Tunnels];
        SentBytes = new long[options.Tunnels];
        Dropped = new long[options.Tunnels];
    }

    public TrafficSchedulerOptions Options { get; }

    public TrafficScheduler Scheduler { get; }

    public long Now { get; set; } = 1;

    /// <summary>Packets and bytes that came out, and packets that were dropped, by tunnel.</summary>
    public long[] Sent { get; }

    public long[] SentBytes { get; }

    public long[] Dropped { get; }

    public long DroppedInAll { get; private set; }

    /// <summary>Packets that are with the scheduler.</summary>
    public int Held => _pool.Count - _pool.Available;

    /// <summary>Called for each packet that comes out: tunnel, class, number, marked.</summary>
    public Action<int, int, uint, bool>? OnSent { get; set; }

    public Action<int, int, uint, TrafficDropReason>? OnDropped { get; set; }

    /// <summary>Puts a packet in that says whose it is.</summary>
    public void Add(int tunnel, int length, int trafficClass = 0, uint number = 0, byte ecn = 0)
    {
        Assert.True(_pool.TryRent(out PacketBuffer* packet), "The bench has no more packets.");
        Assert.True(packet->TrySetLength(length));
        byte* data = packet->Data;
        data[0] = 0x45;
        data[1] = ecn;
        *(int*)(data + 20) = tunnel;
        *(int*)(data + 24) = trafficClass;
        *(uint*)(data + 28) = number;
        Scheduler.Enqueue(packet, tunnel, trafficClass, Now);
    }

    /// <summary>Lets everything out that may leave now.</summary>
    /// <returns>How many packets.</returns>
    public int Drain(int most = int.MaxValue)
    {
        int total = 0;
        fixed (PacketBuffer** burst = _burst)
        {
            for (int count = _burst.Length; count == _burst.Length && total < most;)
            {
                count = Scheduler.Dequeue(burst, Math.Min(_burst.Length, most - total), Now);
                for (int i = 0; i < count; i++)
                    NoteSent(burst[i]);
                total += count;
            }
        }
        for (PacketBuffer* packet = Scheduler.TakeDropped(out TrafficDropReason reason); packet != null; packet = Scheduler.TakeDropped(out reason))
        {
            byte* data = packet->Data;
            Dropped[*(int*)(data + 20)]++;
            DroppedInAll++;
            OnDropped?.Invoke(*(int*)(data + 20), *(int*)(data + 24), *(uint*)(data + 28), reason);
            _pool.Return(packet);
        }
        return total;
    }

    public void Dispose()
    {
        Scheduler.Dispose();
        _pool.Dispose();
    }

    private void NoteSent(PacketBuffer* packet)
    {
        byte* data = packet->Data;
        int tunnel = *(int*)(data + 20);
        Sent[tunnel]++;
        SentBytes[tunnel] += packet->Length;
        OnSent?.Invoke(tunnel, *(int*)(data + 24), *(uint*)(data + 28), (data[1] & 3) == 3);
        _pool.Return(packet);
    }
}
