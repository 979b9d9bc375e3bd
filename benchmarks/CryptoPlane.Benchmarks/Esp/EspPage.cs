using System.Globalization;
using CryptoPlane.Benchmarks.Report;

namespace CryptoPlane.Benchmarks.Esp;

/// <summary>docs/performance/esp.md: every figure on it comes from the run that wrote it.</summary>
internal static class EspPage
{
    /// <summary>What issue 5 expects at 64 bytes.</summary>
    private const double Expected = 1.5;

    public static void Write(IReadOnlyList<EspFigure> figures, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        string machine = string.Concat(MachineDescription.Lines().Take(7).Select(line => $"| {line.What} | {line.Value} |\n"));
        EspFigure[] small = [.. figures.Where(figure => figure is { Case.Bytes: 64, Ratio: not null })];
        string expectation = small.Length == 0
            ? "DPDK is not installed: there is no peer in this run."
            : string.Create(CultureInfo.InvariantCulture, $"Expected is a ratio of at least {Expected:F1} at 64 bytes; here it is {small.Min(figure => figure.Ratio):F2} to {small.Max(figure => figure.Ratio):F2}.");
        File.WriteAllText(Path.Combine(folder, "esp.md"), $"""
            # ESP on one core

            `{command}` wrote this page on {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}. No figure is typed in by hand: run it on your machine.

            | | |
            |---|---|
            {machine}| DPDK | {IpsecPeer.InstalledVersion ?? "not installed: left out"} |

            ## How to read it

            ESP in tunnel mode, IPv4 in IPv4, AES-128-GCM, 64-bit sequence numbers, an anti-replay window of 1,024. Every packet takes another SA, in a random
            order, each once before any a second time. Nanoseconds of the thread's CPU time per packet, medians of samples of about 0.3 ms; buffers are filled, and
            what comes in is sealed by its peers, before the clock starts, and what came out is looked at after it stopped.

            - `of it AEAD` is the AEAD engine on the same keys, lengths and order, with its descriptors ready. `ESP's own` is the difference: the SA, the
              headers, the window, counters, trailer and outer header, and the AEAD's descriptors.
            - `lookaside` and `cpu` are the peer: DPDK's librte_ipsec over `crypto_aesni_gcm` as the distribution built them, in a process of its own on the same CPU,
              by turns with ours. `lookaside` goes prepare, enqueue, dequeue, group, process; `cpu` is its synchronous mode. Its buffers, packets
              and order are as ours, and it is given SAs by its own SA database (inbound) and prefetches as ipsec-secgw does.
            - `ratio` is the time of the peer's faster way divided by ours: above 1, ours is faster. {expectation}
              The last column is the same of each side's fastest sample, which other work on the machine disturbed least.
            - What the peer does not do: compute the outer IPv4 header's checksum (left to a network card), or look at the inner packet's own length.
            - TSC cycles are nanoseconds of CPU time by the time stamp counter's frequency.

            ## Figures

            {EspTable.Figures(figures)}
            ## Beside VPP

            VPP's ESP nodes, measured elsewhere on a CPU with VAES and AVX-512 at 2.6 GHz, take 82 cycles out and 89 in at 64 bytes, 217 and 222 at 1,400.
            {(MachineDescription.HasWideVaes
                ? "This machine has such instructions; the project's own expectation on it is 60 and 65, 190 and 195."
                : "**This machine has no VAES**: the AEAD alone takes longer here, so that only the ratios say something.")}

            """);
    }
}
