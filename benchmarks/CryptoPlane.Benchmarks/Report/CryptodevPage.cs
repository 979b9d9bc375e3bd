using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Devices;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Dpdk;

namespace CryptoPlane.Benchmarks.Report;

/// <summary>docs/performance/cryptodev.md: every figure on it comes from the run that wrote it.</summary>
internal static class CryptodevPage
{
    /// <summary>What issue 4 expects: no more than so many times the peer's time.</summary>
    private const double Expected = 1.15;

    public static void Write(IReadOnlyList<CryptodevRow> rows, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # DPDK's crypto devices: what we add to the driver

            `{command}` wrote this page on {DateTime.UtcNow:yyyy-MM-dd}. No figure is typed in by hand: run it on your machine.

            | | |
            |---|---|

            """);
        foreach ((string what, string value) in MachineDescription.Lines().Append(("DPDK", Eal.Version)))
            text.Append(CultureInfo.InvariantCulture, $"| {what} | {value} |\n");
        text.Append(CultureInfo.InvariantCulture, $"""

            ## How to read it

            AES-128-GCM, sealed in place with {CryptodevCase.AadLength} bytes of AAD, bursts of {CryptodevCase.Burst} with one key, on one core; nanoseconds per operation,
            medians of samples of about 0.25 ms. The peer is DPDK's own `{CryptoPerf.Program}` (throughput test) as the distribution built it, with the same driver,
            sizes and bursts. It runs in a process of its own by turns with ours, on the same CPU. Both encrypt buffers that are in the first-level cache
            as far as they fit there: the same 32 again and again.

            - `backend` is `CryptodevBackend` alone, `engine` is `AeadEngine.Run` over it, as users call it. No byte of a packet is copied.
            - `dispatch` is the engine over a `DispatchBackend` that is told to prefer the device (`DispatchOptions.PreferDevice`), so that its own cost shows.
            - `/ peer` is our time divided by the peer's: below 1, ours is faster. Expected is at most {Expected:0.00} for the engine. The columns on the right are the same
              of each side's fastest sample, which other work on the machine disturbed least: a neighbour on the core's other thread doubles the rest.
            - What the peer does not do: it sets no nonce and no AAD per operation, looks no session up, and keeps no order.
            - `crypto_null` has no AES-GCM, so our engine passes it over: there is no figure of the framework's cost alone.


            """);
        text.Append(Figures(rows)).Append("\n<details><summary>Quartiles, as distances from the median</summary>\n\n").Append(Spread(rows)).Append("\n</details>\n");
        File.WriteAllText(Path.Combine(folder, "cryptodev.md"), text.ToString());
    }

    public static string Figures(IReadOnlyList<CryptodevRow> rows)
    {
        var text = new StringBuilder();
        text.Append("| driver | bytes | peer | backend | engine | dispatch | backend / peer | engine / peer | dispatch / peer | fastest: engine / peer | dispatch / peer |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
        foreach (CryptodevRow row in rows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {row.Case.Driver} | {row.Case.Bytes} | {Number(row.Peer)} | {Number(row.Of(BackendWay.Way))} | {Number(row.Of(EngineWay.Way))} "
                + $"| {Number(row.Of(DispatchWay.Way))} | {row.Overhead(BackendWay.Way):0.00} | {row.Overhead(EngineWay.Way):0.00} | {row.Overhead(DispatchWay.Way):0.00} "
                + $"| {row.OverheadUndisturbed(EngineWay.Way):0.00} | {row.OverheadUndisturbed(DispatchWay.Way):0.00} |\n");
        }
        return text.ToString();
    }

    private static string Spread(IReadOnlyList<CryptodevRow> rows)
    {
        var text = new StringBuilder("| driver | bytes | peer | backend | engine | dispatch |\n|---|---:|---:|---:|---:|---:|\n");
        foreach (CryptodevRow row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Case.Driver} | {row.Case.Bytes} | {Quartiles(row.Peer)} | {Quartiles(row.Of(BackendWay.Way))} "
                + $"| {Quartiles(row.Of(EngineWay.Way))} | {Quartiles(row.Of(DispatchWay.Way))} |\n");
        }
        return text.ToString();
    }

    private static string Number(Measurement measured) => measured.Median.ToString(measured.Median < 100 ? "F1" : "F0", CultureInfo.InvariantCulture);

    private static string Quartiles(Measurement measured) => $"{Percent(measured.LowerQuartile / measured.Median)} … {Percent(measured.UpperQuartile / measured.Median)}";

    private static string Percent(double ratio) => ((ratio - 1) * 100).ToString("+0.0;−0.0;0.0", CultureInfo.InvariantCulture) + " %";
}
