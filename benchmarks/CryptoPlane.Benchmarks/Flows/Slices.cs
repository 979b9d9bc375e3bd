using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Buffers;
using CryptoPlane.Flows;
using CryptoPlane.Lcores;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>Expiry and growth, as a poll loop meets them: slice by slice, each with a clock around it.</summary>
/// <param name="memory">Where memory comes from.</param>
/// <param name="cpus">The CPUs of the machine: for the thread that brings memory.</param>
internal sealed unsafe class Slices(IPacketMemory memory, CpuSet cpus)
{
    /// <summary>Timers that a slice looks at.</summary>
    public const int Budget = 32;

    /// <summary>How long the flows have to live, in nanoseconds, and how the clock of the simulated poll loop goes on.</summary>
    private const long Lifetime = 60_000_000_000, Turn = 1_000_000;

    /// <summary>Flows whose timeouts are spread over a minute, or all the same; each expires and is removed.</summary>
    public SliceFigure Expire(int flows, bool allAtOnce)
    {
        using FlowTable<KeyIPv6, long> table = Filled(flows, flows);
        using var wheel = new TimerWheel(flows, 0, initialTimers: flows, memory: memory);
        var random = new Random(flows);
        for (int index = 0; index < flows; index++)
            wheel.Arm(index, allAtOnce ? Lifetime : random.NextInt64(Lifetime));
        var owner = new Owner(table);
        var slices = new List<double>(flows / 8);
        for (long now = 0; table.Count > 0; now += Turn)
        {
            for (int looked = Budget; looked > 0;)
            {
                long start = ThreadClock.Nanoseconds;
                looked = wheel.Expire(now, Budget, ref owner);
                long spent = ThreadClock.Nanoseconds - start;
                if (looked > 0)
                    slices.Add(spent);
            }
        }
        return SliceFigure.Of(allAtOnce ? "expire, all at once" : "expire, spread", flows, slices);
    }

    /// <summary>Bursts of 32 new flows, from an empty table that has memory for 1,024.</summary>
    /// <param name="flows">How many.</param>
    /// <param name="isProvided">Another thread brings memory ahead.</param>
    public SliceFigure Grow(int flows, bool isProvided)
    {
        using var table = new FlowTable<KeyIPv6, long>(new FlowTableOptions { MaximumFlows = flows, Memory = memory });
        bool isDone = false;
        var provider = new Thread(() =>
        {
            cpus.ApplyToCurrentThread();
            while (!Volatile.Read(ref isDone))
            {
                if (!table.Provision())
                    Thread.Yield();
            }
        });
        if (isProvided)
            provider.Start();
        KeyIPv6[] keys = new KeyIPv6[FlowSubject<KeyIPv6>.Burst];
        int[] indexes = new int[keys.Length];
        bool[] added = new bool[keys.Length];
        var slices = new List<double>(flows / keys.Length);
        for (uint flow = 0; flow + keys.Length <= flows; flow += (uint)keys.Length)
        {
            for (int i = 0; i < keys.Length; i++)
                keys[i] = KeyIPv6.Of(flow + (uint)i);
            long start = ThreadClock.Nanoseconds;
            table.FindOrAdd(keys, indexes, added);
            slices.Add(ThreadClock.Nanoseconds - start);
        }
        Volatile.Write(ref isDone, true);
        if (isProvided)
            provider.Join();
        return SliceFigure.Of(isProvided ? "32 insertions, growing, memory brought" : "32 insertions, growing", flows, slices);
    }

    private FlowTable<KeyIPv6, long> Filled(int flows, int initial)
    {
        var table = new FlowTable<KeyIPv6, long>(new FlowTableOptions { InitialCapacity = initial, MaximumFlows = flows, Memory = memory });
        var order = new FlowOrder(flows);
        for (int i = 0; i < flows; i++)
            table.FindOrAdd(KeyIPv6.Of(order.Next()), out _);
        return table;
    }

    private readonly struct Owner(FlowTable<KeyIPv6, long> table) : ITimerOwner
    {
        public long DeadlineOf(int timer, long armed) => armed;

        public void Expired(int timer) => table.RemoveAt(timer);

        public void Prefetch(int timer) => table.Prefetch(timer);
    }
}
