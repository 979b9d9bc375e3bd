using System.Globalization;
using CryptoPlane.Benchmarks.Report;

namespace CryptoPlane.Benchmarks.Flows;

/// <summary>docs/performance/flows.md: every figure on it comes from the run that wrote it.</summary>
internal static class FlowPage
{
    public static void Write(FlowReport report, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        string machine = string.Concat(MachineDescription.Lines().Where(line => !line.What.StartsWith("native", StringComparison.Ordinal))
            .Select(line => $"| {line.What} | {line.Value} |\n"));
        File.WriteAllText(Path.Combine(folder, "flows.md"), $"""
            # Flow tables on one core

            `{command}` wrote this page on {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}. No figure is typed in by hand: run it on your machine.

            | | |
            |---|---|
            {machine}| DPDK | {HashPeer.InstalledVersion ?? "not installed: left out"} |
            | memory | {(report.HasHugePages ? "huge pages of 2 MiB for our tables and rte_hash's" : "ordinary pages for our tables and rte_hash's: there are too few huge ones")}; Dictionary's is the garbage collector's |

            ## How to read it

            Tables of 5-tuples, IPv4 in 16 bytes and IPv6 in 40, each with 8 bytes of state. Flows are taken in a random order, each once before any a second
            time. Nanoseconds of the thread's CPU time per flow, medians; keys are made before the clock starts, and what was found is looked at after
            it stopped.

            - `look up` is by bursts of 32, and reads the state. `look up, grown`: the table began with room for 1,024 flows and has grown to its size.
            - `insert` fills an empty table that has memory for all, in bursts of 32; `insert, growing` one that has memory for 1,024 and grows as it goes.
              `remove` takes them out by their keys, ours in bursts of 32. rte_hash and Dictionary have no such bursts: they add and remove one by one.
            - rte_hash, DPDK's own, is the peer: the lock-free variant for many readers (`RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF`),
              `rte_hash_lookup_bulk_data` in bursts of 32, with its own hash (CRC32), in a process of its own on the same CPU, by turns with ours. It is
              made for as many entries as there are flows, and for twice as many.
            - `ratio` is the time of the peer divided by ours: above 1, ours is faster; of rte_hash's two sizes it is the faster one's. {Expectation(report)}
              The last column is the same of each side's fastest sample, which other work on the machine disturbed least.
            - What the peer does not do: a keyed hash (its CRC is the same everywhere, and a stranger can make keys that collide), growth, eviction. What it
              does besides: it lets other threads read.
            - TSC cycles are nanoseconds of CPU time by the time stamp counter's frequency.

            ## Figures

            {FlowTables.Figures(report.Figures)}
            ## Slices

            What one turn of a poll loop has to wait for. Expiry looks at {Slices.Budget} timers in a slice at most, and removes each flow that has expired; the clock is
            simulated, a turn of the loop per millisecond, the tick is 8.4 ms. The timeouts are spread over a minute, or all are the same. A slice of growth is a
            burst of 32 new flows in a table that began with room for 1,024: it splits 64 buckets at most, and now and then takes a slab of memory of 2 MiB, which the
            kernel fills with zeros; or another thread brings the slabs ahead (`Provision`; a million flows in a fifth of a second leave it little time). Of several runs the least disturbed one is shown. {Bound(report)}

            {FlowTables.Slices(report.Slices)}
            """);
    }

    private static string Expectation(FlowReport report)
    {
        FlowFigure[] largest = [.. report.Figures.Where(figure => figure is { Work: "look up", Flows: 1_000_000 })];
        double dictionary = largest.Min(figure => figure.DictionaryRatio);
        return largest.Any(figure => figure.Ratio == null)
            ? "DPDK is not installed: there is no rte_hash in this run."
            : string.Create(CultureInfo.InvariantCulture,
                $"Expected for look-ups at 1,000,000 flows: at least 1.5 beside rte_hash and 4 beside Dictionary; here at least {largest.Min(figure => figure.Ratio):F2} and {dictionary:F2}.");
    }

    private static string Bound(FlowReport report) => string.Create(CultureInfo.InvariantCulture,
        $"Expected of expiry: below 20 µs; here {report.Slices.Where(figure => figure.Work.StartsWith("expire", StringComparison.Ordinal)).Max(figure => figure.Worst) / 1e3:F1} µs at most.");
}
