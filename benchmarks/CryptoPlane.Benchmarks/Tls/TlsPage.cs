using System.Globalization;
using System.Text;
using CryptoPlane.Benchmarks.Measuring;
using CryptoPlane.Benchmarks.Report;

namespace CryptoPlane.Benchmarks.Tls;

/// <summary>docs/performance/tls.md: every figure on it comes from the run that wrote it.</summary>
internal static class TlsPage
{
    public static void Write(IReadOnlyList<BenchmarkResult> records, IReadOnlyList<BenchmarkResult> handshakes, string folder, string command)
    {
        Directory.CreateDirectory(folder);
        string machine = string.Concat(MachineDescription.Lines().Select(line => $"| {line.What} | {line.Value} |\n"));
        File.WriteAllText(Path.Combine(folder, "tls.md"), $"""
            # TLS 1.3, measured

            Written by `{command}`. Times are medians of short samples taken by turns; a ratio is the peer's time divided by ours: above 1, ours is
            faster. The machine is shared, so that ratios say more than nanoseconds.

            | | |
            |---|---|
            {machine}| libssl, which SslStream uses too | {LibSsl.Instance?.Version ?? "its headers are not installed: left out"} |

            ## Records

            Nanoseconds of CPU time to write, or to read, one record. Ours goes through the burst API with one record a burst and with 32, all of one
            connection; libssl by SSL_write and SSL_read through memory BIOs, called from C; SslStream by Write and Read over a stream in memory.
            {(MachineDescription.HasWideVaes ? "" : "**This CPU lacks VAES**, which the project's absolute expectations are for.")}

            {Records(records)}
            ## Handshakes

            A client and a server in one thread, with everything that both compute, and one byte of data behind it; AES-128-GCM, X25519 everywhere. In
            `ecdsa-p256`, `rsa-2048` and `resumed` each client knows the server's public key by its SHA-256, and verifies the signature; SslStream
            builds a chain besides, which cannot be turned off. In `ecdsa-p256-chain` each builds a chain to a root and compares the name: ours and
            SslStream by X509Chain, libssl by its own. `resumed` is psk_dhe_ke with one ticket from each connection for the next; SslStream resumes
            only where nobody chooses the suite, and then takes AES-256-GCM. None of the peers here has X25519MLKEM768, so ours stands beside itself
            with X25519.

            {Handshakes(handshakes)}
            """);
    }

    /// <summary>Ours and both peers in one line for each case.</summary>
    public static string Records(IEnumerable<BenchmarkResult> results)
    {
        var text = new StringBuilder("| case | bytes | ours | libssl | ratio | SslStream | ratio |\n|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (IGrouping<(string Case, int Bytes), BenchmarkResult> row in results.GroupBy(result => (result.Case, result.Bytes)))
        {
            text.Append(CultureInfo.InvariantCulture, $"| {row.Key.Case["tls/".Length..]} | {row.Key.Bytes} | {row.First().OursNanoseconds:F0} ");
            text.Append(Peer(row, "libssl", 1)).Append(Peer(row, "SslStream", 1)).Append("|\n");
        }
        return text.ToString();
    }

    /// <summary>Microseconds, and handshakes a second on one core.</summary>
    public static string Handshakes(IEnumerable<BenchmarkResult> results)
    {
        var text = new StringBuilder("| handshake | ours, µs | ours, a second | libssl, µs | ratio | SslStream, µs | ratio |\n");
        text.Append("|---|---:|---:|---:|---:|---:|---:|\n");
        foreach (IGrouping<string, BenchmarkResult> row in results.GroupBy(result => result.Case))
        {
            double ours = row.First().OursNanoseconds;
            text.Append(CultureInfo.InvariantCulture, $"| {row.Key["tls/handshake/".Length..]} | {ours / 1000:F0} | {1e9 / ours:F0} ");
            text.Append(Peer(row, "libssl", 1000)).Append(Peer(row, "SslStream", 1000)).Append("|\n");
            if (row.FirstOrDefault(result => result.Peer.StartsWith("CryptoPlane", StringComparison.Ordinal)) is not { } own)
                continue;
            text.Append(CultureInfo.InvariantCulture, $"| the same with X25519, beside it | {own.PeerNanoseconds / 1000:F0} ");
            text.Append(CultureInfo.InvariantCulture, $"| {1e9 / own.PeerNanoseconds:F0} | | | | |\n");
        }
        return text.ToString();
    }

    private static string Peer(IEnumerable<BenchmarkResult> row, string peer, double unit) =>
        row.FirstOrDefault(result => result.Peer == peer) is { } found
            ? string.Create(CultureInfo.InvariantCulture, $"| {found.PeerNanoseconds / unit:F0} | {found.Ratio:F1} ")
            : "| | ";
}
