using System.Globalization;
using CryptoPlane.Benchmarks.Report;

namespace CryptoPlane.Benchmarks.Switch;

/// <summary>docs/performance/switch.md: every figure on it comes from the run that wrote it.</summary>
internal static class SwitchPage
{
    public static void Write(IReadOnlyList<SwitchFigure> figures, IReadOnlyList<SwitchFlows> flows, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        string machine = string.Concat(MachineDescription.Lines().Select(line => $"| {line.What} | {line.Value} |\n"));
        File.WriteAllText(Path.Combine(folder, "switch.md"), $"""
            # Switching ESP to ESP on one lcore

            `{command}` wrote this page on {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}. No figure is typed in by hand: run it on your machine.

            | | |
            |---|---|
            {machine}
            ## How to read it

            Packets come out of ESP tunnel A[i] and go into ESP tunnel B[i]; AES-128-GCM, ESN, an outer IPv4 header. The broker's own pipeline does it:
            SA look-up, anti-replay window of 1,024, opening, inner header checks, longest-prefix routes of the source (is it this tunnel's?) and of
            the destination, hop limit, sequence number, outer header, sealing, counters. Every packet takes another tunnel, in a random order, each
            once before any a second time. Every packet that comes out is opened by its peer and looked at.

            - Times are nanoseconds of the thread's CPU time per packet, from port to port: medians of many runs of 512 packets, ours and the AEAD alone
              by turns in one process. Sealing by peer A and opening by peer B are not in them.
            - Wire `net_ring`: two of DPDK's rings with Ethernet over them, one in, one out, next hop by ARP. Wire `memory`: an array.
            - `of it AEAD` is opening and sealing the same lengths with as many keys and nothing else: the bound that these kernels set on this CPU.
            - Gb/s count inner packets.
            - `beside 100 tunnels` is the rate beside that of 100 tunnels, measured by turns with this line: compare no two lines of different times,
              since the clock of a shared machine changes.
            - The shares are of other runs, with a clock between the stages.

            The packets of a run fit into the CPU's second-level cache, as they would under a network card that writes into the cache.

            ## Figures

            {SwitchTable.Figures(figures)}
            ## Shares of the stages

            {SwitchTable.Shares(figures)}
            ## Sessions

            The same packets through two lcores by turns, of which one keeps the sessions of its tunnels (docs/sessions.md): 100 tunnels, bursts of 256,
            wire `memory`. Packets take the sessions in a random order, each once before any a second time. The tables above are without sessions.

            {SwitchFlows.Table(flows)}
            ## Beside others

            No other ESP gateway for DPDK can be installed from Debian to be measured in the same run (VPP and DPDK's ipsec-secgw are not packaged).
            Measured elsewhere, on a CPU with VAES and AVX-512 at 2.6 GHz, VPP 26.06 decrypts and encrypts 9.45 Mpps of 64 bytes and 4.23 Mpps (47 Gb/s) of
            1,400 bytes per core, without anti-replay. {(MachineDescription.HasWideVaes
                ? "This machine has such instructions."
                : "**This machine has no VAES**: its AEAD alone takes longer per packet than VPP's whole way there, so the two do not compare.")}

            """);
    }
}
