using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Buffers;
using CryptoPlane.Dpdk;
using CryptoPlane.Lcores;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>
/// Flow tables on one core: look-ups in bursts of 32, insertion, removal, against DPDK's rte_hash and .NET's Dictionary; expiry and growth
/// slice by slice.
/// </summary>
internal static class FlowSuite
{
    private const int Most = 1_000_000;

    /// <summary>Huge pages that our tables of the largest size take.</summary>
    private const int OursMegabytes = 320;

    /// <summary>Measures all cases.</summary>
    /// <exception cref="InvalidOperationException">A peer or one of our subjects fails.</exception>
    public static FlowReport Run(bool quick)
    {
        int[] sizes = quick ? [100_000, Most] : [1_000, 100_000, Most];
        CpuSet all = CpuSet.OfCurrentThread();
        int cpu = all[all.Count - 1];
        if (!HashPeer.IsBuilt)
            Console.Error.WriteLine("warning: the peer of rte_hash was not built: going on without it");
        CpuSet.Of(cpu).ApplyToCurrentThread();
        // Both sides or neither: what the peers would take must be there besides.
        bool huge = HugePages.Read().FreeMegabytes >= OursMegabytes + HashPeer.MegabytesFor(Most) + HashPeer.MegabytesFor(2 * Most);
        IPacketMemory memory = huge ? KernelPacketMemory.Instance : new OrdinaryPages();
        var turns = new FlowTurns(quick ? 5 : 11);
        var progress = new ProgressLine((2 * sizes.Length) + 1);
        var figures = new List<FlowFigure>();
        foreach (int flows in sizes)
        {
            foreach (int keyBytes in (int[])[16, 40])
            {
                progress.Next($"{flows} flows, keys of {keyBytes} B");
                figures.AddRange(Measure(turns, keyBytes, flows, memory, huge, cpu));
            }
        }
        progress.Next("slices");
        SliceFigure[] slices = MeasureSlices(new Slices(memory, all), quick ? 3 : 7);
        progress.Finish();
        all.ApplyToCurrentThread();
        return new FlowReport([.. figures.OrderBy(figure => figure.Work)], slices, huge);
    }

    private static IEnumerable<FlowFigure> Measure(FlowTurns turns, int keyBytes, int flows, IPacketMemory memory, bool huge, int cpu)
    {
        HashPeer[] peers = HashPeer.IsBuilt
            ? [new HashPeer(keyBytes, flows, flows, huge, cpu), new HashPeer(keyBytes, flows, 2 * flows, huge, cpu)]
            : [];
        try
        {
            HashPeer[] ready = [.. peers.Where(peer => peer.IsReady)];
            return keyBytes == 16 ? turns.Measure<KeyIPv4>(16, flows, memory, ready) : turns.Measure<KeyIPv6>(40, flows, memory, ready);
        }
        finally
        {
            foreach (HashPeer peer in peers)
                peer.Dispose();
        }
    }

    private static SliceFigure[] MeasureSlices(Slices slices, int runs)
    {
        return
        [
            Several(() => slices.Expire(Most, allAtOnce: false)),
            Several(() => slices.Expire(Most, allAtOnce: true)),
            Several(() => slices.Grow(Most, isProvided: false)),
            Several(() => slices.Grow(Most, isProvided: true)),
        ];

        SliceFigure Several(Func<SliceFigure> run) => SliceFigure.LeastDisturbed([.. Enumerable.Range(0, runs).Select(_ => run())]);
    }
}
